/**
 * Words that some HAProxy from 1.5 to 3.2 knows. One that none knows is a mistake of the text, or newer than this list:
 * what it does is not said. (`haproxy -dKall -c -f /dev/null` prints what one version has registered.)
 */

const words = (text: string) => new Set(text.trim().split(/\s+/));

const ofProxies = words(`
  acl backlog balance bind bind-process block capture clitcpka-cnt clitcpka-idle clitcpka-intvl clitimeout compression
  contimeout cookie declare default-server default_backend description disabled dispatch dynamic-cookie-key email-alert enabled error-log-format
  errorfile errorfiles errorloc errorloc302 errorloc303 external-check filter force-be-switch force-persist fullconn grace guid
  hash-balance-factor hash-preserve-affinity hash-type http-after-response http-check http-error http-request http-response
  http-reuse http-send-name-header id ignore-persist load-server-state-from-file log log-format log-format-sd log-steps log-tag
  max-keep-alive-queue max-session-srv-conns maxconn mode monitor monitor-net monitor-uri option persist quic-initial rate-limit
  redirect redispatch reqadd reqallow reqdel reqdeny reqiallow reqidel reqideny reqipass reqirep reqisetbe reqitarpit reqpass
  reqrep reqsetbe reqtarpit retries retry-on rspadd rspdel rspdeny rspidel rspideny rspirep rsprep server server-state-file-name
  server-template source srvtcpka-cnt srvtcpka-idle srvtcpka-intvl srvtimeout stats stick stick-table tcp-check tcp-request
  tcp-response timeout transparent unique-id-format unique-id-header use-fcgi-app use-server use_backend appsession`);

const options = words(`
  abortonclose accept-invalid-http-request accept-invalid-http-response accept-unsafe-violations-in-http-request
  accept-unsafe-violations-in-http-response allbackups assume-rfc6587-ntf checkcache clitcpka contstats disable-h2-upgrade
  dont-parse-log dontlog-normal dontlognull external-check forceclose forwarded forwardfor h1-case-adjust-bogus-client
  h1-case-adjust-bogus-server http-buffer-request http-drop-request-trailers http-drop-response-trailers http-ignore-probes
  http-keep-alive http-no-delay http-pretend-keepalive http-proxy http-restrict-req-hdr-names http-server-close http-tunnel
  http-use-htx http-use-proxy-header http_proxy httpchk httpclose httplog httpslog idle-close-on-response independant-streams
  independent-streams ldap-check log-health-checks log-separate-errors logasap mysql-check nolinger originalto persist
  pgsql-check prefer-last-server redis-check redispatch smtpchk socket-stats splice-auto splice-request splice-response
  spop-check srvtcpka ssl-hello-chk tcp-check tcp-smart-accept tcp-smart-connect tcpka tcplog tcpsplice transparent`);

const timeouts = words(`
  appsession check client client-fin client-hs clitimeout connect contimeout http-keep-alive http-request queue server
  server-fin srvtimeout tarpit tunnel`);

const ofGlobal = words(`
  anonkey busy-polling ca-base chroot close-spread-time cluster-secret cpu-map cpu-policy cpu-set crt-base daemon debug
  default-path description dns-accept-family expose-deprecated-directives expose-experimental-directives external-check
  fd-hard-limit force-cfg-parser-pause gid grace group h1-accept-payload-with-any-method h1-case-adjust h1-case-adjust-file
  h1-do-not-close-on-insecure-transfer-encoding h2-workaround-bogus-websocket-clients hard-stop-after insecure-fork-wanted
  insecure-setuid-wanted issuers-chain-path jwt-base key-base limited-quic localpeer log log-send-hostname log-tag
  master-worker max-spread-checks maxcompcpuusage maxcomprate maxconn maxconnrate maxpipes maxsessrate maxsslconn maxsslrate
  maxzlibmem mworker-max-reloads mworker-prog nbproc nbthread no-memory-trimming no-quic node noepoll noevports nogetaddrinfo
  nokqueue nopoll noreuseport nosplice numa-cpu-mapping pidfile pp2-never-send-local prealloc-fd presetenv quiet resetenv
  server-state-base server-state-file set-dumpable set-var set-var-fmt setcap setenv spread-checks stats stats-file
  stats-socket strict-limits stress-level thread-group thread-groups thread-hard-limit trace uid ulimit-n unix-bind unsetenv
  user warn-blocked-traffic-after zero-warning`);
const ofGlobalFamilies =
  /^(?:tune|profiling|httpclient|harden|ocsp-update|acme|shm-stats-file)[.-]|^(?:ssl|lua|wurfl|51degrees|deviceatlas|device-atlas)-/;

/** `option frob`, as a proxy's line has it, without a `no` in front. Null: it is known. */
export function unknownOfProxy([keyword = '', second = '']: readonly string[]): string | null {
  if (!ofProxies.has(keyword)) return keyword;
  if (keyword === 'option' && !options.has(second)) return `option ${second}`;
  return keyword === 'timeout' && !timeouts.has(second) ? `timeout ${second}` : null;
}

export function unknownOfGlobal([keyword = '']: readonly string[]): string | null {
  return ofGlobal.has(keyword) || ofGlobalFamilies.test(keyword) ? null : keyword;
}
