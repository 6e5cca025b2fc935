import type { Scope } from './scope.ts';
import type { Node } from './tree.ts';

const handlers =
  /^(?:(?:proxy|fastcgi|uwsgi|scgi|memcached|grpc|tunnel)_pass|stub_status|empty_gif|flv|mp4|perl|status|api|upstream_conf|js_content|content_by_lua(?:_block|_file)?|f4f|hls|image_filter_handler|vhost_traffic_status_display|rds_json_ret|echo|echo_.*|nchan_.*|push_stream_.*|shib_.*handler|rtmp_stat|rtmp_control|random_index_handler)$/;

/** The last one that says who makes the content. */
export function handlerOf(scope: Scope): Node | null {
  return (
    scope.nodes.findLast(
      ({ name, words }) => handlers.test(name) && (name !== 'stub_status' || words[0] !== 'off'),
    ) ?? null
  );
}
