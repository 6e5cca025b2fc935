/** Reads one HTTP/1.1 answer at a time: just enough to know when it is whole, how it went and who gave it. */
export interface Answer {
  readonly status: number;
  readonly marker: string;
  /** Its first characters, one byte each. */
  readonly body: string;
  readonly keepAlive: boolean;
}

export interface AnswerReader {
  /** `more`: not whole yet. `broken`: not HTTP. */
  push(chunk: Buffer): Answer | 'more' | 'broken';
  /** The connection ended in good order: an answer without a length is whole now; else null. */
  end(): Answer | null;
}

const headLengthMax = 64 * 1024;
const bodyKeptMax = 256;

interface Head {
  readonly status: number;
  readonly marker: string;
  readonly keepAlive: boolean;
  readonly body: BodyReader;
}

/** Takes bytes as text; true when the body is whole. */
interface BodyReader {
  take(text: string): boolean;
  readonly kept: string;
  readonly endsWithConnection: boolean;
}

export function answerReader(markerHeader: string): AnswerReader {
  let unread = '';
  let head: Head | null = null;

  function readHead(): 'more' | 'broken' | 'read' {
    const end = unread.indexOf('\r\n\r\n');
    if (end < 0) return unread.length > headLengthMax ? 'broken' : 'more';
    head = parseHead(unread.slice(0, end), markerHeader);
    unread = unread.slice(end + 4);
    if (!head) return 'broken';
    if (head.status >= 200) return 'read';
    head = null; // 100, 103: another head follows
    return readHead();
  }

  function whole({ status, marker, keepAlive, body }: Head): Answer {
    head = null;
    return { status, marker: marker || body.kept.slice(0, 64), body: body.kept, keepAlive };
  }

  return {
    push(chunk) {
      unread += chunk.toString('latin1');
      if (!head) {
        const seen = readHead();
        if (seen !== 'read') return seen;
      }
      if (!head) return 'more';
      const text = unread;
      unread = '';
      return head.body.take(text) ? whole(head) : 'more';
    },
    end() {
      return head?.body.endsWithConnection ? whole(head) : null;
    },
  };
}

function parseHead(text: string, markerHeader: string): Head | null {
  const [first = '', ...lines] = text.split('\r\n');
  const match = /^HTTP\/1\.([01]) (\d{3})/.exec(first);
  if (!match) return null;
  const status = Number(match[2]);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const connection = headers.get('connection')?.toLowerCase() ?? '';
  const body = bodyReader(status, headers);
  const keepAlive = connection.includes('close') || body.endsWithConnection ? false : match[1] === '1';
  return { status, marker: headers.get(markerHeader) ?? '', keepAlive, body };
}

function bodyReader(status: number, headers: ReadonlyMap<string, string>): BodyReader {
  if (headers.get('transfer-encoding')?.toLowerCase().includes('chunked')) return chunkedBody();
  const length = headers.get('content-length');
  if (length !== undefined) return sizedBody(Number(length));
  return status === 204 || status === 304 ? sizedBody(0) : sizedBody(Number.POSITIVE_INFINITY);
}

function sizedBody(length: number): BodyReader {
  let seen = 0;
  let kept = '';
  return {
    endsWithConnection: length === Number.POSITIVE_INFINITY,
    get kept() {
      return kept;
    },
    take(text) {
      seen += text.length;
      if (kept.length < bodyKeptMax) kept += text.slice(0, bodyKeptMax - kept.length);
      return seen >= length;
    },
  };
}

function chunkedBody(): BodyReader {
  let unread = '';
  let kept = '';
  let left = 0;
  let isTrailer = false;

  /** One step forward; false where more bytes are needed, `whole` after the last line. */
  function step(): boolean | 'whole' {
    if (left > 0) {
      const data = unread.slice(0, left);
      kept += data.slice(0, Math.max(0, Math.min(bodyKeptMax - kept.length, left - 2)));
      unread = unread.slice(data.length);
      left -= data.length;
      return left === 0;
    }
    const end = unread.indexOf('\r\n');
    if (end < 0) return false;
    const line = unread.slice(0, end);
    unread = unread.slice(end + 2);
    if (isTrailer) return line === '' ? 'whole' : true;
    const size = Number.parseInt(line, 16);
    if (size > 0) left = size + 2;
    else isTrailer = true;
    return true;
  }

  return {
    endsWithConnection: false,
    get kept() {
      return kept;
    },
    take(text) {
      unread += text;
      for (;;) {
        const went = step();
        if (went === 'whole') return true;
        if (!went) return false;
      }
    },
  };
}
