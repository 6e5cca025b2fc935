/** Every code that a person may see, with what it means and how to solve it. `docs/errors.md` is made from this. */
export const catalogue = {
  HF001: {
    title: 'The file is not YAML',
    solve: 'Mend the line that is named; an editor with a YAML mode shows it.',
  },
  HF002: {
    title: 'The file is larger, deeper or has more aliases than is allowed',
    solve:
      'A site file is at most 4 MiB, 32 levels deep, with at most 100 aliases. Split the site, or check that it is the right file.',
  },
  HF003: { title: 'The file cannot be read', solve: 'Check the name and the rights.' },
  HF004: {
    title: 'The file changed while it was read',
    solve: 'Wait until it has been written, then run the command again.',
  },
  HF005: {
    title: "A file that is named as a site.yaml holds a load balancer's own text",
    solve: 'Give the file its own name (haproxy.cfg, nginx.conf), or name the language: --dialect.',
  },
  HF010: { title: 'An unknown key', solve: 'Remove it, or use the key that is suggested.' },
  HF011: { title: 'A value of the wrong type', solve: 'Write what is expected at that place.' },
  HF012: { title: 'A key is missing', solve: 'Add it.' },
  HF013: { title: 'A value is out of its range', solve: 'Use a value inside the range that is named.' },
  HF014: {
    title: 'A name that nothing has',
    solve: 'Use one of the names that exist, or add what is named.',
  },
  HF015: {
    title: 'A name is used twice',
    solve: 'Names of listeners, routes, pools, balancers, and of servers within a pool are unique.',
  },
  HF016: {
    title: 'Two routes match the same requests',
    solve: 'They cannot both be meant: remove one, or make one more specific.',
  },
  HF017: {
    title: 'Two listeners would use the same address',
    solve: 'Give each listener, and each balancer on one machine, its own address.',
  },
  HF018: {
    title: 'A certificate cannot be used',
    solve: 'Check that certificate and key exist, are PEM and belong together.',
  },
  HF019: {
    title: 'A regular expression cannot be used',
    solve: 'Use the syntax that HAProxy (PCRE) and JavaScript share.',
  },
  HF020: { title: 'A pool that no route reaches', solve: 'Remove it, or add a route to it.' },
  HF021: {
    title: 'The engine cannot do what the site asks',
    solve:
      'docs/vocabulary.md lists what each engine can do: use another engine for that balancer, or another word.',
  },
  HF022: {
    title: 'Words that do not go together',
    solve: 'Remove one of them, or add what is named.',
  },
  HF023: {
    title: "The servers' certificates are not checked",
    solve: 'Name the authority that signed them (tls.ca): without it whoever answers is believed.',
  },
  HF024: {
    title: 'A file with the body of an answer cannot be used',
    solve:
      'It lies beside the site file, is UTF-8 text of at most 12 KiB, and is read when the site file is.',
  },
  HF025: {
    title: 'What a policy file states does not hold',
    solve:
      'Change the text, or, where the new behaviour is wanted, the case or policy; `holdfast explain` shows rule by rule why a request gets what it gets. docs/policies.md has the words.',
  },
  HF030: {
    title: "A line of a team's own text cannot be carried over",
    solve:
      'Holdfast lends its sockets to an engine that runs as a user without rights, beside another one of the same text. Change the line as is said, or leave this HAProxy or NGINX as it is; docs/adopt.md lists what is refused.',
  },
  HF031: {
    title: "A line of a team's own text is not covered",
    solve: 'The text is used as it is; what is named is not probed, not counted, or works without a part.',
  },
  HF040: {
    title: 'Nobody is on call',
    solve: 'Close the gap in the schedule, or say that it is meant: `gaps: allowed` (docs/oncall.md).',
  },
  HF041: {
    title: 'An escalation policy that stops half-way',
    solve: 'Every step but the last says how long somebody has to answer: `ackWithin: 5m`.',
  },
  HF042: {
    title: 'Something of the on-call file is used by nothing',
    solve: 'Remove it, or name it in a route or a policy.',
  },
  HF101: {
    title: 'Structural limits refuse the change',
    solve: 'Change less at a time, or change guard.limits first.',
  },
  HF102: {
    title: 'The engine does not accept the text',
    solve: "The engine's own words are in the evidence.",
  },
  HF103: {
    title: 'A server that the change adds does not answer',
    solve: 'Start it, mend its address, or leave it out.',
  },
  HF104: {
    title: 'The rehearsal did not go as planned',
    solve: 'The evidence names the request and both answers.',
  },
  HF105: {
    title: 'There is no way back',
    solve: 'Restore the last good generation first: see `holdfast status`.',
  },
  HF106: {
    title: 'The text is quarantined',
    solve: 'It was rolled back before. Change it, or release it with `holdfast apply --release`.',
  },
  HF107: { title: 'The candidate was taken back', solve: 'Read the incident: `holdfast postmortem ID`.' },
  HF108: {
    title: 'Another change is in flight',
    solve: 'Wait for it, or take it back with `holdfast rollback`.',
  },
  HF109: {
    title: 'The pipeline is frozen',
    solve: 'A change was taken back; read the incident, then `holdfast apply --unfreeze`.',
  },
  HF110: { title: 'What is forced or urgent needs a reason', solve: 'Add --reason "why".' },
  HF111: {
    title: 'It cannot be told what the change does to requests',
    solve:
      'Look at `holdfast plan FILE`. `apply --force` goes on without a plan; a rollback never needs one.',
  },
  HF112: {
    title: 'A policy of the site does not hold',
    solve:
      'The message has the policy, its line and a request that breaks it. Mend the change, or change the policy first.',
  },
  HF113: {
    title: 'The change waits for approvals',
    solve: 'Somebody else than its author approves it: `holdfast approve CHANGE`.',
  },
  HF114: {
    title: 'The change cannot be approved so',
    solve: 'A change is approved by somebody else than its author, before it gets traffic.',
  },
  HF115: {
    title: 'A known fault of the engine stands against the change',
    solve:
      'docs/known-faults.md says which versions have it and which lines run into it: use another version, leave the line out, or accept it by name (guard.knownFaults.accept).',
  },
  HF116: {
    title: 'The text ran before the one that runs',
    solve:
      'An older checkout would undo what came after it. Where it is meant: `holdfast apply FILE --older`; `guard.limits.olderTexts: allowed` for a site that goes back by its repository.',
  },
  HF117: {
    title: 'A change was not confirmed',
    solve:
      '`holdfast apply FILE --confirm-within 10m` takes it back unless `holdfast confirm` comes in time; look whether the site can be reached, then apply it again with --release.',
  },
  HF118: {
    title: 'No change may begin now',
    solve:
      'The site has change windows, freezes, or waits for the end of an incident (`guard.changes`), or a series of monitor.yaml with `gate: true` is bad. `--queue` waits for it; `--break-glass --reason WHY` goes on now and is reviewed afterwards. A rollback and a renewed certificate never wait.',
  },
  HF201: {
    title: 'The journal is held by another process',
    solve: 'Only one controller may run on a state directory.',
  },
  HF202: {
    title: 'The journal is damaged',
    solve:
      'The site goes on; changes are refused. Restore it from a copy, or move it aside to start a new one.',
  },
  HF203: {
    title: 'The journal cannot be written',
    solve: 'Free disk space; the site goes on, the change was refused.',
  },
  HF301: { title: 'The engine is not installed', solve: 'Install it: the message has the line.' },
  HF302: {
    title: 'An address is in use',
    solve: 'Stop what listens there, or give the listener another address.',
  },
  HF303: { title: 'The engine did not start', solve: 'Its own words are in the message.' },
  HF304: {
    title: 'A balancer does not answer',
    solve: 'See `holdfast status`; the agent of that balancer may have ended.',
  },
  HF305: {
    title: 'A folder of Holdfast cannot be used',
    solve: 'Set HOLDFAST_RUN and HOLDFAST_STATE to folders that can be written, with short names.',
  },
  HF306: {
    title: 'There is no room for a proof',
    solve: 'Make room in the folder for temporary files, or set TMPDIR to another one, with a short name.',
  },
  HF307: {
    title: 'A process of Holdfast did not start in time',
    solve: 'Its log says how far it came. `up` tries again by itself, each time with twice the time.',
  },
  HF401: { title: 'No Holdfast runs here', solve: 'Start it: `holdfast up site.yaml`.' },
  HF402: { title: 'Several sites run here', solve: 'Say which: --site NAME.' },
  HF403: { title: 'Not allowed', solve: 'Run the command as the user who started Holdfast.' },
  HF404: {
    title: 'There is nothing by that name',
    solve: 'List what there is: `holdfast changes`, `holdfast incidents`.',
  },
  HF405: { title: 'The request is not one that the API knows', solve: 'The detail names the field.' },
  HF406: {
    title: 'More reports than are taken',
    solve: 'It is known. Try again in ten minutes if it goes on.',
  },
  HF501: {
    title: 'No engine runs that could be adopted',
    solve: 'Start it as ever and adopt it then, or start the site without it: `holdfast up FILE`.',
  },
  HF502: {
    title: 'The running engine cannot be adopted',
    solve: 'The message says what is in the way. Nothing was touched.',
  },
  HF503: {
    title: 'The file is not what the engine runs',
    solve: 'Reload the engine so that it runs what is on disk, or adopt the file that it runs.',
  },
  HF504: {
    title: 'A socket cannot be taken from the running engine',
    solve: 'The message says which right is missing.',
  },
  HF505: {
    title: 'The address cannot be handed over',
    solve: 'The message says why. What serves now goes on.',
  },
  HF506: {
    title: 'The site is only observed',
    solve:
      'End `adopt --observe`, and take the engine over: `holdfast adopt FILE`. Until then nothing is changed.',
  },
  HF601: {
    title: 'Too many alerts',
    solve: 'Send fewer of them, or less often: what is not taken in is counted, and told as an alert itself.',
  },
  HF602: {
    title: 'A message could not be delivered',
    solve: 'The message has what the receiver said. `holdfast notify --test` tries it again.',
  },
  HF603: {
    title: 'An inner address that is not asked',
    solve:
      'Loopback, link-local and private addresses are refused, so that nobody is made to ask inner systems. Where it is meant, name the host in `allowedHosts` of oncall.yaml (notifiers) or monitor.yaml (probes, Prometheus, OpenTelemetry).',
  },
  HF604: {
    title: 'A secret cannot be read',
    solve: 'Set the variable, or let the file or systemd credential be readable for who runs Holdfast.',
  },
  HF605: {
    title: 'There is no on-call file',
    solve:
      'Write oncall.yaml beside the site file (docs/oncall.md has one to begin with), or name it: `holdfast up SITE --oncall FILE`.',
  },
  HF900: {
    title: 'A mistake of Holdfast itself',
    solve: 'The site goes on. Please report the message with the lines before it.',
  },
} as const satisfies Record<string, { title: string; solve: string }>;

export type Code = keyof typeof catalogue;
