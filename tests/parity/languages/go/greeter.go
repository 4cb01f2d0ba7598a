// A filter in Go on the raw ABI. It greets each request, counts it, and answers /denied by itself.
package main

import "unsafe"

//go:wasmimport env proxy_log
func proxyLog(level uint32, text unsafe.Pointer, size uint32) uint32

//go:wasmimport env proxy_get_header_map_value
func getHeader(kind uint32, key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize unsafe.Pointer) uint32

//go:wasmimport env proxy_add_header_map_value
func addHeader(kind uint32, key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize uint32) uint32

//go:wasmimport env proxy_define_metric
func defineMetric(kind uint32, name unsafe.Pointer, size uint32, id unsafe.Pointer) uint32

//go:wasmimport env proxy_increment_metric
func incrementMetric(id uint32, delta int64) uint32

//go:wasmimport env proxy_send_local_response
func sendLocalResponse(code uint32, details unsafe.Pointer, detailsSize uint32, body unsafe.Pointer, bodySize uint32,
	headers unsafe.Pointer, headersSize uint32, grpcStatus int32) uint32

func main() {}

// What the host wrote, by its address, so that the collector leaves it alone until it is read.
var given = map[uint32][]byte{}
var greeted uint32

//go:wasmexport proxy_on_memory_allocate
func allocate(size uint32) uint32 {
	bytes := make([]byte, size+1)
	address := uint32(uintptr(unsafe.Pointer(&bytes[0])))
	given[address] = bytes
	return address
}

//go:wasmexport proxy_abi_version_0_2_1
func abiVersion() {}

func text(of string) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.StringData(of)), uint32(len(of))
}

func log(line string) {
	pointer, size := text(line)
	proxyLog(2, pointer, size)
}

func add(kind uint32, name, value string) {
	key, keySize := text(name)
	pointer, size := text(value)
	addHeader(kind, key, keySize, pointer, size)
}

//go:wasmexport proxy_on_configure
func onConfigure(context, size uint32) uint32 {
	log("configured")
	name, nameSize := text("greeted")
	defineMetric(0, name, nameSize, unsafe.Pointer(&greeted))
	return 1
}

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(context, count, end uint32) uint32 {
	var address, size uint32
	key, keySize := text(":path")
	getHeader(0, key, keySize, unsafe.Pointer(&address), unsafe.Pointer(&size))
	path := string(given[address][:size])
	delete(given, address)
	log(path)
	if path == "/denied" {
		details, detailsSize := text("denied")
		body, bodySize := text("not here")
		sendLocalResponse(403, details, detailsSize, body, bodySize, nil, 0, -1)
		return 1
	}
	add(0, "x-greeting", "hello")
	incrementMetric(greeted, 1)
	return 0
}

//go:wasmexport proxy_on_response_headers
func onResponseHeaders(context, count, end uint32) uint32 {
	add(2, "x-greeted", "yes")
	return 0
}

//go:wasmexport proxy_on_log
func onLog(context uint32) { log("logged") }
