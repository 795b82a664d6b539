//! A unit that uses only the table, like one in C does.

use super::*;
use crate::abi;

/// What a C report would do: pages and raw requests through the table.
#[test]
fn pages_and_gets_work_for_a_plugin_without_our_kit() {
    unsafe extern "C" fn run(_: *mut std::ffi::c_void, host: *const Host, run: *mut abi::Run, _: Str) -> abi::Status {
        // SAFETY: a plugin's calls, by the rules of the boundary.
        unsafe {
            let host = &*host;
            let mut pages = std::ptr::null_mut();
            let asked = br#"{"service":"helix","path":"echo","query":[["a","b"]],"limit":7,"expect":"things"}"#;
            let mut buf = abi::Buf::EMPTY;
            let bad = Str::new(br#"{"service":"oauth","path":"validate"}"#);
            let status = (host.pages_open)(run, bad, &raw mut pages, &raw mut buf);
            assert_eq!(status, ErrorKind::Unsupported.status());
            let error: Error = serde_json::from_slice(
                Str {
                    ptr: buf.ptr,
                    len: buf.len,
                }
                .bytes(),
            )
            .unwrap();
            assert_eq!(error.message, "a plugin may not use the sign-in service");
            (host.buf_free)(buf);
            let nowhere = std::ptr::null_mut();
            assert_eq!((host.pages_open)(run, Str::new(asked), &raw mut pages, nowhere), OK);
            assert_eq!((host.pages_next)(pages, &raw mut buf), OK);
            let rows = String::from_utf8_lossy(
                Str {
                    ptr: buf.ptr,
                    len: buf.len,
                }
                .bytes(),
            )
            .into_owned();
            (host.buf_free)(buf);
            assert_eq!(rows, r#"[[["a","b"],["first","7"]]]"#);
            assert_eq!((host.pages_next)(pages, &raw mut buf), abi::DONE);
            (host.buf_free)(buf);
            (host.pages_close)(pages);
            assert!((host.get)(run, Str::new(b"not json"), &raw mut buf) < 0);
            (host.buf_free)(buf);
            let status = (host.get)(run, Str::new(br#"{"service":"helix","path":"gone"}"#), &raw mut buf);
            assert_eq!(status, ErrorKind::NotFound.status());
            let error: Error = serde_json::from_slice(
                Str {
                    ptr: buf.ptr,
                    len: buf.len,
                }
                .bytes(),
            )
            .unwrap();
            assert_eq!(error.causes, ["nothing here"]);
            (host.buf_free)(buf);
            (host.set_error)(run, Str::new(b"plain words"));
            -1
        }
    }

    let table: &'static abi::Report = Box::leak(Box::new(abi::Report {
        size: size_of::<abi::Report>() as u32,
        run,
    }));
    let item: &'static Item = Box::leak(Box::new(Item {
        size: size_of::<Item>() as u32,
        kind: abi::REPORT,
        this: std::ptr::null_mut(),
        name: Str::new(b"c"),
        spec_json: Str::new(b"{}"),
        vtable: (&raw const *table).cast(),
    }));
    let (host, _) = recorder();
    let error = run_report(item, host, &CallInput::default()).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Failed, "plain words"));
}
