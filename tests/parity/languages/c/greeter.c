// A filter in C on the raw ABI: no libc, no SDK. It greets each request, counts it, and answers /denied by itself.
#include <stddef.h>
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

IMPORT(proxy_log) int proxy_log(int level, const char *text, size_t size);
IMPORT(proxy_get_header_map_value)
int proxy_get_header_map_value(int map, const char *key, size_t key_size, char **value, size_t *value_size);
IMPORT(proxy_add_header_map_value)
int proxy_add_header_map_value(int map, const char *key, size_t key_size, const char *value, size_t value_size);
IMPORT(proxy_define_metric) int proxy_define_metric(int type, const char *name, size_t size, uint32_t *id);
IMPORT(proxy_increment_metric) int proxy_increment_metric(uint32_t id, int64_t delta);
IMPORT(proxy_send_local_response)
int proxy_send_local_response(int code, const char *details, size_t details_size, const char *body, size_t body_size,
                              const char *headers, size_t headers_size, int grpc_status);

#define TEXT(text) text, sizeof(text) - 1

static char heap[1 << 20];
static size_t used;
static uint32_t greeted;

// A bump allocator: everything of one callback is forgotten at the next.
EXPORT(malloc) void *allocate(size_t size) {
    size_t at = used;
    used += (size + 7) & ~(size_t)7;
    return used <= sizeof(heap) ? heap + at : NULL;
}

EXPORT(proxy_abi_version_0_2_1) void abi_version(void) {}

EXPORT(proxy_on_configure) int on_configure(int context, int size) {
    proxy_log(2, TEXT("configured"));
    return proxy_define_metric(0, TEXT("greeted"), &greeted) == 0;
}

EXPORT(proxy_on_request_headers) int on_request_headers(int context, int count, int end) {
    used = 0;
    char *path = NULL;
    size_t size = 0;
    proxy_get_header_map_value(0, TEXT(":path"), &path, &size);
    proxy_log(2, path, size);
    if (size == 7 && path[1] == 'd') {
        proxy_send_local_response(403, TEXT("denied"), TEXT("not here"), NULL, 0, -1);
        return 1;
    }
    proxy_add_header_map_value(0, TEXT("x-greeting"), TEXT("hello"));
    proxy_increment_metric(greeted, 1);
    return 0;
}

EXPORT(proxy_on_response_headers) int on_response_headers(int context, int count, int end) {
    proxy_add_header_map_value(2, TEXT("x-greeted"), TEXT("yes"));
    return 0;
}

EXPORT(proxy_on_log) void on_log(int context) { proxy_log(2, TEXT("logged")); }
