;; A module that brings neither a memory nor a table of its own.
(module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "memory" (memory 1))
  (import "env" "table" (table 1 funcref))
  (data (i32.const 16) "seen")
  (elem (i32.const 0) $say)
  (func $say (drop (call $log (i32.const 2) (i32.const 16) (i32.const 4))))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 64))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (call_indirect (i32.const 0)) (i32.const 0)))
