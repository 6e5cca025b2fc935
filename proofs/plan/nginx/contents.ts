/** What makes a location's content: a pool, a program, a file. */
import { type Around, type Ink, origin, type Place, values } from './ink.ts';
import { answer } from './rewriting.ts';

export function content(around: Around, place: Place): string {
  const { ink } = around;
  const { chance, machine } = ink;
  const kind = chance.below(100);
  if (kind < 56) return pass(around, place);
  if (kind < 66) return answer(around);
  if (kind < 74 && place.kind === 'prefix')
    return `alias ${machine.root}${place.name.endsWith('/') || chance.percent(10) ? '/' : ''};`;
  if (kind < 74 && place.kind === 'exact') return `alias ${machine.root}/there.txt;`;
  if (kind < 74 && place.kind === 'regex') return `alias ${machine.root}/$1;`;
  if (kind < 80) return `root ${machine.root};`;
  if (kind < 83)
    return chance.pick(['stub_status;', 'empty_gif;', `root ${machine.root}; autoindex on;`, 'mp4;']);
  if (kind < 86) return program(ink);
  return kind < 94 ? pass(around, place) : '';
}

/** What it is told says nothing of where it goes. */
const program = (ink: Ink): string =>
  `fastcgi_param SCRIPT_FILENAME $request_filename; fastcgi_param REQUEST_METHOD $request_method; fastcgi_pass ${ink.chance.pick([origin(ink), `u${ink.id}`])};`;

const headers = [
  'X-Own "text"',
  'X-Own "$http_x_kind"',
  'X-Own ""',
  'Host $host',
  'Host $http_host',
  'Host $host:$server_port',
  'Host "$proxy_host"',
  'X-Real-IP $remote_addr',
  'X-Forwarded-For $proxy_add_x_forwarded_for',
  'X-Forwarded-Proto $scheme',
  'X-Forwarded-Host $http_host',
  'X-Original-URI $request_uri',
  'Connection "upgrade"',
  'Connection ""',
  'Upgrade $http_upgrade',
  'User-Agent ""',
  'X-Forwarded-Prefix /p',
  'Authorization ""',
  'Cookie $http_cookie',
  'X-Forwarded-Port $server_port',
];

export function headerLine(ink: Ink, groups: readonly string[] = []): string {
  const { chance, own } = ink;
  const mine = () => `X-Own "${chance.pick([...values, ...groups, ...own, '$1', 'text', ''])}"`;
  return `proxy_set_header ${chance.percent(45) ? mine() : chance.pick(headers)};`;
}

function pass(around: Around, place: Place): string {
  const { ink, groups } = around;
  const { chance } = ink;
  const method = chance.percent(3) ? 'proxy_method POST; ' : '';
  const head = Array.from({ length: chance.percent(25) ? 1 + chance.below(3) : 0 }, () =>
    headerLine(ink, groups),
  );
  const more = chance.percent(10)
    ? chance.pick([
        'proxy_http_version 1.1;',
        'proxy_intercept_errors on;',
        'proxy_redirect off;',
        'proxy_buffering off;',
        'proxy_read_timeout 60s;',
        'proxy_pass_request_body off;',
        'proxy_hide_header X-Powered-By;',
        'proxy_cookie_path / /x/;',
      ])
    : '';
  return `${method}${head.join(' ')} ${more} proxy_pass ${target(around, place)};`;
}

function target({ ink, hasPool, groups }: Around, place: Place): string {
  const { chance, id, machine } = ink;
  const usable = [...(hasPool ? ['$up', '$up'] : []), ...(ink.hasMapOfPools ? [`$pool${id}`] : [])];
  if (usable.length > 0 && chance.percent(35)) {
    const uri = chance.pick(['', '', '$request_uri', '/x$uri$is_args$args', '/fixed', '$uri', '/$1']);
    return `http://${chance.pick(usable)}${uri}`;
  }
  const whole = [...(hasPool ? ['$full', '$full'] : []), ...(ink.hasMapOfPools ? [`$whole${id}`] : [])];
  if (whole.length > 0 && chance.percent(25))
    return `${chance.pick(whole)}${chance.pick(['', '', '$request_uri', '/x$uri', '/fixed?a=1', '$uri$is_args$args'])}`;
  const isPath = place.kind === 'prefix' || place.kind === 'exact';
  if (chance.percent(5)) {
    const socket = `http://unix:${chance.pick(machine.sockets)}`;
    return isPath ? `${socket}${chance.pick(['', ':/', ':/sock/'])}` : socket;
  }
  const scheme = chance.percent(5) ? 'https' : chance.percent(3) ? '$scheme' : 'http';
  // A set of servers goes by its name in whatever letters.
  const hosts = [`u${id}`, chance.percent(10) ? `W${id}` : `w${id}`, origin(ink)];
  const taken = groups.length > 0 ? [`/g/${chance.pick(groups)}`] : [];
  const uris = isPath
    ? ['', '', '', '/', '/new', '/new/', '/q?z=1', '/$uri', '$uri', '$request_uri', '/r$is_args$args', '/?']
    : ['', '', '', '$request_uri', '/fix$is_args$args', '/c/$1$is_args$args', '$uri', '/$1', '/c/$2?$args'];
  return `${scheme}://${chance.pick(hosts)}${chance.pick([...uris, ...taken])}`;
}
