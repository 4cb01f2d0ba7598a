// A filter in AssemblyScript on the raw ABI. It greets each request, counts it, and answers /denied by itself.

@external("env", "proxy_log")
declare function proxy_log(level: i32, text: usize, size: i32): i32;
@external("env", "proxy_get_header_map_value")
declare function proxy_get_header_map_value(map: i32, key: usize, keySize: i32, value: usize, valueSize: usize): i32;
@external("env", "proxy_add_header_map_value")
declare function proxy_add_header_map_value(map: i32, key: usize, keySize: i32, value: usize, valueSize: i32): i32;
@external("env", "proxy_define_metric")
declare function proxy_define_metric(kind: i32, name: usize, size: i32, id: usize): i32;
@external("env", "proxy_increment_metric")
declare function proxy_increment_metric(id: u32, delta: i64): i32;
@external("env", "proxy_send_local_response")
declare function proxy_send_local_response(
  code: i32, details: usize, detailsSize: i32, body: usize, bodySize: i32, headers: usize, headersSize: i32, grpcStatus: i32,
): i32;

// Where the host writes two numbers.
const out = memory.data(8);
const greeted = memory.data(4);

function bytes(text: string): ArrayBuffer {
  return String.UTF8.encode(text);
}

function log(text: string): void {
  const line = bytes(text);
  proxy_log(2, changetype<usize>(line), line.byteLength);
}

function add(map: i32, name: string, value: string): void {
  const key = bytes(name);
  const content = bytes(value);
  proxy_add_header_map_value(map, changetype<usize>(key), key.byteLength, changetype<usize>(content), content.byteLength);
}

export function proxy_abi_version_0_2_1(): void {}

export function malloc(size: usize): usize {
  return heap.alloc(size);
}

export function proxy_on_configure(context: i32, size: i32): i32 {
  log("configured");
  const name = bytes("greeted");
  proxy_define_metric(0, changetype<usize>(name), name.byteLength, greeted);
  return 1;
}

export function proxy_on_request_headers(context: i32, count: i32, end: i32): i32 {
  const key = bytes(":path");
  proxy_get_header_map_value(0, changetype<usize>(key), key.byteLength, out, out + 4);
  const path = String.UTF8.decodeUnsafe(load<u32>(out), load<u32>(out, 4));
  heap.free(load<u32>(out));
  log(path);
  if (path == "/denied") {
    const details = bytes("denied");
    const body = bytes("not here");
    proxy_send_local_response(
      403, changetype<usize>(details), details.byteLength, changetype<usize>(body), body.byteLength, 0, 0, -1,
    );
    return 1;
  }
  add(0, "x-greeting", "hello");
  proxy_increment_metric(load<u32>(greeted), 1);
  return 0;
}

export function proxy_on_response_headers(context: i32, count: i32, end: i32): i32 {
  add(2, "x-greeted", "yes");
  return 0;
}

export function proxy_on_log(context: i32): void {
  log("logged");
}

// What AssemblyScript calls when it gives up, in place of an import that no proxy has.
export function abort(message: usize, file: usize, line: u32, column: u32): void {
  unreachable();
}
