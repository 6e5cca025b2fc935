const outside = 'left out: nobody outside hears of it';
const certificate = 'left out: a stand-in certificate';
const limited = 'left out: what depends on time or on others is not on a stage';
const source = 'left out: the stage says where a connection comes from';

const words: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:access_log|error_log|resolver|resolver_timeout|open_log_file_cache|proxy_bind|proxy_protocol)$/,
    outside,
  ],
  [
    /^(?:\w+_temp_path|(?:proxy|fastcgi|uwsgi|scgi)_(?:cache|store|no_cache)\w*|open_file_cache\w*)$/,
    outside,
  ],
  [/^ssl_(?!reject_handshake$|preread$)\w+$/, certificate],
  [/^(?:proxy|grpc|uwsgi)_ssl\w*$/, certificate],
  [/^(?:set_real_ip_from|real_ip_header|real_ip_recursive)$/, source],
  [
    /_timeout$|^(?:limit_req|limit_conn|limit_rate|limit_req_zone|limit_conn_zone|limit_rate_after)$/,
    limited,
  ],
  [
    /^(?:limit_(?:req|conn)_(?:status|log_level|dry_run)|max_ranges|aio\w*|directio\w*|sendfile\w*)$/,
    limited,
  ],
  [
    /^(?:server_names_hash_bucket_size|variables_hash_max_size|map_hash_bucket_size|http2\w*|thread_pool)$/,
    limited,
  ],
  [/^(?:keepalive_\w+|reset_timedout_connection|zone|health_check|match|status_zone)$/, limited],
];

/** Why a directive is not on a stage; null: it is. */
export function leftOut(
  name: string,
  args: readonly string[],
  context: 'http' | 'stream' | 'upstream',
): string | null {
  if (name === 'ssl') return args[0] === 'on' ? null : certificate;
  // In `http` it asks for a certificate's name, in `stream` it is how a connection to a server begins.
  if (context === 'stream' && name === 'proxy_protocol') return source;
  return words.find(([shape]) => shape.test(name))?.[1] ?? null;
}
