/* itch_plugin.h: the plugin boundary of itch, version 1.0.
 *
 * A plugin is a shared library with one or more units: reports (commands that print rows), caches (stores for
 * Twitch's answers) and renderers (which draw charts). It exports one symbol, `itch_plugin_v1`, and is installed in a
 * directory that `itch plugins path` lists:
 *
 *     cc -std=c11 -shared -fPIC -fvisibility=hidden -o hello.so hello.c
 *     itch plugins add hello.so
 *
 * This file is all that a plugin needs. It is C11 and C++17.
 *
 * Rules for every entry on both sides
 *
 *   Texts     are UTF-8 with a pointer and a length, not terminated by a zero byte. JSON is UTF-8 text.
 *   Memory    A function that gets a pointer copies what it keeps: lent memory is only valid during the call. Only itch
 *             allocates memory for the other side: an itch_buf is freed with `buf_free`, once. Otherwise a plugin and
 *             itch never free each other's memory.
 *   Errors    An entry returns an itch_status. A negative one is a failure. If a function of itch fails, the out buffer
 *             of the call contains an error (see "Errors" below). If an entry of a plugin fails, it calls `set_error`
 *             and then returns the status.
 *   Unwinding No exception, longjmp or panic may cross the boundary: catch it and return ITCH_E_PANIC.
 *   Threads   Every function of itch may be called from any thread, until the entry that got the run returns. A plugin
 *             that starts threads joins them before that.
 *   Unloading never happens. Write all output before the entry returns.
 *   Output    A plugin must not print to stdout itself: rows go through `emit`, messages through `log`.
 *   Sign-in   A plugin names endpoints; itch adds the credentials. A plugin has no access to them.
 *
 * Versions
 *
 *   Every struct begins with its size (itch_plugin: after its magic number). Version 1.0 is everything in this file,
 *   and is always present. A later 1.x adds fields at the end of a struct. Before you use one, check for it:
 *
 *       if (ITCH_HAS(host, itch_host, new_entry)) host->new_entry(...); else ...;
 *
 *   `abi_minor` is the version that a plugin was built with, `min_host_minor` the oldest one that it works with; itch
 *   rejects a plugin only for the latter. Unknown kinds of units are skipped. Ignore unknown members of JSON objects.
 */
#ifndef ITCH_PLUGIN_H
#define ITCH_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define ITCH_EXPORT __declspec(dllexport)
#else
#define ITCH_EXPORT __attribute__((visibility("default")))
#endif

#define ITCH_MAGIC 0x48435449u /* "ITCH" as a little-endian number */
#define ITCH_ABI_MAJOR 1       /* also part of the name of the symbol */
#define ITCH_ABI_MINOR 0       /* increases with every addition */

/* Whether the struct at a pointer is long enough to contain a field. */
#define ITCH_HAS(pointer, type, field) ((pointer)->size >= offsetof(type, field) + sizeof((pointer)->field))

/* ---- Values ---------------------------------------------------------------------------------------------------- */

/* A lent text or sequence of bytes. `ptr` is ignored if `len` is 0. */
typedef struct itch_str {
  const uint8_t *ptr;
  size_t len; /* bytes */
} itch_str;

/* An itch_str for a literal, as an initialiser: static const itch_str NAME = ITCH_STR("hello"); */
#define ITCH_STR(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }

/* An itch_str for a text that is terminated by a zero byte. */
static inline itch_str itch_text(const char *text) {
  itch_str str;
  str.ptr = (const uint8_t *)text;
  str.len = strlen(text);
  return str;
}

/* Memory of itch, lent until `buf_free`. Empty if `ptr` is null. */
typedef struct itch_buf {
  uint8_t *ptr;
  size_t len;  /* bytes */
  void *owner; /* private to itch; do not change it */
} itch_buf;

/* The result of an entry. A positive status that is not documented for the entry is a failure, too. */
typedef int32_t itch_status;
enum {
  ITCH_OK = 0,             /* success */
  ITCH_DONE = 1,           /* there are no more pages */
  ITCH_CANCELLED = 2,      /* the pipe is closed, the limit is reached or the user interrupted: return it, no message */
  ITCH_MISS = 3,           /* a cache has no such key */
  ITCH_TOO_LARGE = 4,      /* a cache cannot store a value of this size, and has left it out */
  ITCH_E_FAILED = -1,      /* any other failure, such as a full disk */
  ITCH_E_USAGE = -2,       /* the request is invalid */
  ITCH_E_NOT_FOUND = -3,   /* the channel, video or user does not exist */
  ITCH_E_SIGN_IN = -4,     /* there is no token, it was rejected, or it lacks the needed scope */
  ITCH_E_SERVICE = -5,     /* the service could not be reached, or every retry failed */
  ITCH_E_RATE_LIMITED = -6, /* the rate limit does not allow the run to continue */
  ITCH_E_UNSUPPORTED = -7, /* this is not supported */
  ITCH_E_PANIC = -8,       /* the plugin caught an exception */
  ITCH_E_BAD_DATA = -9,    /* the service's answer could not be parsed */
  ITCH_E_OFFLINE_MISS = -10 /* --offline, and the answer is in no cache */
};

/* Errors
 *
 * As JSON: {"kind":"not-found","message":"there is no channel `x`","hint":"itch created x","causes":["..."],
 * "http":404,"service":"helix"}. `kind` and `message` are required. Kinds: failed, usage, not-found, sign-in, service,
 * rate-limited, unsupported, panic, bad-data, offline-miss, cancelled. A message is one sentence without a final
 * period; a hint is a command to run. "details" may repeat parts of the message as data:
 * {"reason":"client-refused","plugin":"x","rows":3,"row":4,"column":"created"}. Each member is present only if it is
 * known: `reason` is client-refused (GQL does not know the client id) or file-changed (of a plugin), `plugin` the
 * plugin that caused the error, `rows` the number of rows delivered before it, `row` and `column` the invalid cell. */

/* ---- Functions of itch ------------------------------------------------------------------------------------------- */

/* One call of a unit. Valid until the entry that got it returns; that of a cache until `close` returns. */
typedef struct itch_run itch_run;
/* One walk over pages. */
typedef struct itch_pages itch_pages;

enum { ITCH_FROM_CACHE = 1 }; /* itch_response.flags */

/* A final answer. */
typedef struct itch_response {
  uint32_t size;        /* sizeof(itch_response), set by the plugin before the call */
  uint16_t http_status; /* 200 and so on */
  uint16_t flags;       /* ITCH_FROM_CACHE */
  uint64_t age_ms;      /* the age of an answer from a cache, in milliseconds */
  itch_buf body;        /* the body, or an error as JSON if the status is negative; free it in either case */
} itch_response;

enum { ITCH_LOG_ERROR = 1, ITCH_LOG_WARNING = 2, ITCH_LOG_INFORMATION = 3, ITCH_LOG_DEBUG = 4 };

/* Requests
 *
 * As JSON: {"service":"helix","path":"channels/followers","query":[["broadcaster_id","123"],["first","100"]],
 * "freshness":"endpoint"}. Only `service` and `path` are required.
 *
 *   service    helix, the current API (https://dev.twitch.tv/docs/api/reference); gql; kraken, tmi, rechat and loots,
 *              which are only available from archives
 *   path       below the service's base URL, without a leading slash
 *   query      pairs of texts, in the order in which they are sent; a name may occur several times
 *   body       only for gql
 *   freshness  how old a stored answer may be: "endpoint" (as defined by `policy`), "fresh" (no stored answer),
 *              {"max-age":60} (seconds), "immutable" (any age)
 *   list       the member of a good answer that is a list, such as "data": an answer without it is a temporary failure,
 *              and is never stored
 *   policy     for an endpoint that itch does not know: for how many seconds its answers are fresh, and who shares
 *              them, as {"max_age":3600,"scope":"everybody"}. "scope" is "everybody", "user" (only the user who sent
 *              the request), or {"user-with":"user:read:email"} (everybody except users whose token has that scope).
 *              Without a policy, answers are fresh for an hour and, on helix, private to the user. Versions of itch
 *              that do not know `policy` ignore it.
 *
 * itch waits for the rate limit, repeats requests after temporary failures, and stores answers in the caches that the
 * user chose. Calls block. To have several requests in flight, `fetch` all of them and then `wait` for each. */
typedef struct itch_host {
  uint32_t size;
  uint16_t abi_major; /* of itch */
  uint16_t abi_minor; /* of itch */

  /* Fetches a request and returns the body of a successful answer. On failure, including an HTTP status outside 200
   * to 299, `out` contains an error. Free `out` in either case. */
  itch_status (*get)(itch_run *run, itch_str request_json, itch_buf *out);

  /* Starts a request and returns its ticket at once. If it cannot start, waiting for the ticket returns the error. */
  itch_status (*fetch)(itch_run *run, itch_str request_json, uint64_t *ticket);
  /* Waits for the final answer, whatever its HTTP status. The ticket cannot be used again. */
  itch_status (*wait)(itch_run *run, uint64_t ticket, itch_response *out);
  /* Waits until one of `n` tickets has finished, and returns its index. All tickets stay valid. */
  itch_status (*wait_any)(itch_run *run, const uint64_t *tickets, size_t n, size_t *which);
  /* Gives up a ticket that will not be waited for. */
  void (*ticket_drop)(itch_run *run, uint64_t ticket);

  /* Starts a walk over the pages of a Helix list. It accepts these members in addition to those of a request: "limit",
   * the largest number of rows; "unique_by", the field that is the key of a row, or a JSON Pointer to it ("/user/id"):
   * repeated rows are left out, and so are rows without a key, which count as unreadable; "expect", what
   * the list counts, so that itch compares its total with the rows received; "max", the endpoint's largest page size
   * (100). The next page is fetched while the current one is read. On failure `error`, which may be null, contains an
   * error that must be freed. */
  itch_status (*pages_open)(itch_run *run, itch_str request_json, itch_pages **out, itch_buf *error);
  /* The next rows as a JSON array, at most "max", or ITCH_DONE. On failure `out` contains an error, and the walk has ended.
   * Free `out` in every case. */
  itch_status (*pages_next)(itch_pages *pages, itch_buf *out);
  /* Ends a walk, once, at any page. */
  void (*pages_close)(itch_pages *pages);

  /* Prints `n` rows: each a JSON array of cells in the order of the declared columns, followed by a line feed.
   * Cells: null; true and false; int: a whole number; float: a number; text: a string; time: milliseconds since 1970,
   * UTC, as a whole number; duration: seconds as a number. itch formats them. Ids are texts.
   * Emit rows before waiting for an answer, a few hundred at once if there are many. A row is at most 64 MiB long.
   * Rows that are longer, miscounted or not followed by a line feed are rejected, and so are rows that do not match the
   * columns: the run then ends with an error, whatever status the report returns. */
  itch_status (*emit)(itch_run *run, itch_str rows, uint32_t n);

  /* Records a fact, or an array of facts, for the verdict whether the output is complete:
   * {"fact":"expected","what":"followers","n":12}, {"fact":"repeated","n":1},
   * {"fact":"missing","what":"accounts","n":2,"examples":["a"],"remark":"created empty"}, {"fact":"looped"},
   * {"fact":"gap","from":"1:00","to":"2:00","reason":"the service did not answer"}, {"fact":"recovered","n":1},
   * {"fact":"unreadable","what":"rows","n":1,"examples":["page 2, row 5: null"]}, {"fact":"moved","what":"followers",
   * "by":3}, {"fact":"searched-back","rows":2000000}. Missing things no longer exist on the service; a remark says what
   * happened to their rows. Unreadable are rows that were left out or, with a column in backquotes, cells that are empty
   * because the service sent something else. Moved is by how much a list's total changed meanwhile. */
  itch_status (*note)(itch_run *run, itch_str facts_json);
  /* Reports the progress; `total` 0 means unknown. itch counts rows itself. */
  void (*progress)(itch_run *run, uint64_t done, uint64_t total);
  /* Writes a line to the log. Errors and warnings are shown to the user like those of itch, even with -q; other levels
   * are shown by `itch -v`. */
  void (*log)(itch_run *run, int32_t level, itch_str message);
  /* ITCH_CANCELLED if the run should stop, else ITCH_OK. For units that work long without requests. */
  itch_status (*cancelled)(itch_run *run);
  /* Sets the error for the status about to be returned: as JSON, or any text, which becomes its message. */
  void (*set_error)(itch_run *run, itch_str error);
  /* Frees memory. An empty buffer is allowed. */
  void (*buf_free)(itch_buf buf);
} itch_host;

/* Takes bytes from a plugin; may be called several times. On any status but ITCH_OK, stop and return that status. */
typedef itch_status (*itch_push)(void *sink, const uint8_t *bytes, size_t len);

/* ---- Reports --------------------------------------------------------------------------------------------------- */

/* The description of a report:
 *
 *   {"spec":1,"name":"hello","summary":"Say hello","help":"Paragraphs for --help.",
 *    "arguments":[{"name":"who","kind":"text","position":0,"required":true,"help":"Who is greeted"},
 *                 {"name":"times","short":"t","kind":"int","default":1,"help":"How often"}],
 *    "columns":[{"name":"greeting","type":"text","help":"What is said"}],
 *    "examples":[{"command":"itch hello world","help":"Greet the world"}]}
 *
 *   name       the command: lower-case letters, digits, - and _
 *   summary    one line without a final period
 *   arguments  kind: text, int, float, flag, duration, offset, time, channel, video, path, choice (with "choices");
 *              with "position" it is positional, else it is an option --name; "repeat" allows it several times;
 *              "default" is the value if it is not given. itch parses, checks and fills in the arguments.
 *   columns    type: bool, int, float, text, time, duration; "unit"; "precision", decimal places; with "default":false
 *              it is printed only if --columns selects it
 *   scopes     OAuth scopes that the token needs: ["moderator:read:followers"]
 *   wanted_scopes  scopes that only one column needs: [{"scope":"moderation:read","column":"role"}]
 *   aliases    other names: [{"name":"hi"}]
 *   chart      how to plot it: {"x":"time","y":"count","mark":"scatter"}; mark: scatter, line, mixed
 *   variables  environment variables that it reads: [{"name":"HELLO","help":"...","default":"..."}]; others are not in
 *              its environment
 *   reads      files and directories of the user that it reads: ["/etc/tables","~/x","$HELLO"]; it can open them only
 *              after `itch plugins trust --allow`
 */
typedef struct itch_report {
  uint32_t size;
  /* Runs one call: emits its rows in order.
   * {"v":1,"report":"hello","args":{"who":"world","times":1},"columns":["greeting"],"columns_named":false,
   *  "source":"twitch","direction":"desc","limit":null}
   * An argument that may repeat is an array. A channel is a login or id: and a number, a time is milliseconds since
   * 1970, a duration or offset is seconds. Cells of columns that are not in "columns" may be null. itch prints at most
   * "limit" rows; a report can avoid fetching more. Rows are newest first if the direction is "desc". */
  itch_status (*run)(void *self, const itch_host *host, itch_run *run, itch_str call_json);
} itch_report;

/* ---- Caches ---------------------------------------------------------------------------------------------------- */

/* The description of a cache:
 *
 *   {"spec":1,"name":"shelf","summary":"A folder with a file for each response","help":"...",
 *    "variables":[{"name":"SHELF","help":"The folder","default":"/var/cache/shelf"}],
 *    "access":{"write":["$SHELF"]}}
 *
 *   access     what it uses: files and directories to "read" and to "write" ("write" includes reading), "network":true,
 *              and "hosts", to be shown to the user. A path begins with / or ~/ or $ and a declared variable. It can use
 *              them only after `itch plugins trust --allow`; a directory that is missing is created before. Without
 *              "access", a cache asks for the network and for the paths in its variables.
 *
 * A cache stores bytes under a key of 64 lower-case hexadecimal digits. itch handles their meaning, checksums and age.
 * The entries of one store are called from one thread at a time, all with the run for which it was opened; this run
 * supports `log` and `set_error`, but no rows or requests. A failure means that the store cannot be used any more; itch
 * continues without it. */

#define ITCH_UNKNOWN UINT64_MAX /* in itch_stats: the store does not know */

typedef struct itch_stats {
  uint32_t size;    /* sizeof(itch_stats), set by itch; do not write beyond it */
  uint64_t entries; /* the number of values */
  uint64_t bytes;   /* their size in bytes */
} itch_stats;

/* Takes one value of a scan. On any status but ITCH_OK, stop and return ITCH_OK. `modified_ms` 0 means unknown. */
typedef itch_status (*itch_visit)(void *sink, itch_str key, uint64_t bytes, uint64_t modified_ms);

typedef struct itch_cache {
  uint32_t size;
  /* Opens the store, without contacting a server before that is necessary. The settings:
   * {"variables":{"SHELF":"/tmp/shelf"},"max_bytes":null,"strict":false}
   * Variables that are not set are absent: the plugin uses its declared default for them. */
  itch_status (*open)(void *self, const itch_host *host, itch_run *run, itch_str settings_json, void **store);
  /* Pushes a value, or returns ITCH_MISS. `modified_ms`, milliseconds since 1970, stays 0 if it is not known. */
  itch_status (*get)(void *store, itch_run *run, itch_str key, void *sink, itch_push push, uint64_t *modified_ms);
  /* Stores a value and replaces an existing one, or returns ITCH_TOO_LARGE. After `ttl_ms` it may be deleted; 0 means
   * that it may be kept forever. */
  itch_status (*put)(void *store, itch_run *run, itch_str key, itch_str value, uint64_t ttl_ms);
  /* Removes a value. A key without a value is not an error. */
  itch_status (*remove)(void *store, itch_run *run, itch_str key);
  /* Returns how much is stored. */
  itch_status (*stats)(void *store, itch_run *run, itch_stats *out);
  /* Pushes where the data is, for display: a directory, or a host and port. Never a password. */
  itch_status (*location)(void *store, itch_run *run, void *sink, itch_push push);
  /* Visits every value that itch stored, in any order. May be null, or return ITCH_E_UNSUPPORTED. */
  itch_status (*scan)(void *store, itch_run *run, void *sink, itch_visit visit);
  /* Closes the store; called once. */
  void (*close)(void *store);
  /* Removes everything that itch stored, at once. May be null, or return ITCH_E_UNSUPPORTED. It is for stores that
   * cannot scan. */
  itch_status (*clear)(void *store, itch_run *run);
} itch_cache;

/* ---- Renderers ------------------------------------------------------------------------------------------------- */

/* The description of a renderer:
 *
 *   {"spec":1,"name":"svg","summary":"Scalable vector graphics","help":"...","extensions":["svg"],
 *    "media_type":"image/svg+xml","terminal":false,"detail":"pixels"}
 *
 * `detail` is how much of the data it needs: "pixels" (what is visible at the target's size, already aggregated),
 * {"points":5000} (single points up to this number, aggregated data above it), "all" (every point). `reads` is as for a
 * report. */

enum { ITCH_F64 = 1, ITCH_F32 = 2, ITCH_U8 = 3, ITCH_TEXT = 4, ITCH_U32 = 5 }; /* itch_values.kind */

/* A lent array of values. */
typedef struct itch_values {
  uint32_t kind;   /* ITCH_F64: double; ITCH_F32: float; ITCH_U8: uint8_t; ITCH_U32: uint32_t; ITCH_TEXT: UTF-8, each
                      text followed by \n */
  const void *ptr; /* the first value, aligned for its type; ignored if `len` is 0 */
  size_t len;      /* the number of values; for ITCH_TEXT, of bytes */
} itch_values;

typedef struct itch_renderer {
  uint32_t size;
  /* Draws one finished chart and writes its bytes in order. Lengths are pixels from the top left corner. Scales, ticks,
   * positions of labels and reduction are already done:
   * {"title":"...","title_at":{"x":1080,"y":40},"target":{"width":2160,"height":1080,"dpi":180,"text":25,"line":2.5},
   *  "theme":{"name":"dark","background":"#0d0d0d","text":"#b3b3b3","grid":...,"dots":...,"bands":...,"line":...,
   *  "wash":...},
   *  "area":{"left":..,"top":..,"width":..,"height":..},
   *  "x":{"label":"...","label_at":{..} or null,"kind":"time" or "number","scale":"linear" or "log","min":..,"max":..,
   *       "ticks":[{"at":..,"label":"..."}]},
   *  "y":{..},"y2":{..} or null,"layers":[..],"legend":[{"layer":0,"label":"...","at":{..}}],"color_bar":null}
   * A layer refers to its data by index in `buffers`:
   * {"layer":"points","x":0,"y":1,"shade":2,"density":null,"labels":null,"radius":2,"opacity":1}
   * {"layer":"cells","columns":..,"rows":..,"place":0,"count":1,"shade":2,"radius":..,"opacity":..}: for each pixel of
   *   the area with dots, in ascending order: row x columns + column, the number of dots, and the highest shade
   * {"layer":"line","x":0,"y":1,"right":false,"wash":false}
   * {"layer":"bands","from":0,"to":1}
   * Ignore layers and kinds of values that you do not know. */
  itch_status (*render)(void *self, const itch_host *host, itch_run *run, itch_str chart_json,
                        const itch_values *buffers, size_t n, void *out, itch_push write);
} itch_renderer;

/* ---- What a plugin exports ------------------------------------------------------------------------------------- */

enum { ITCH_REPORT = 1, ITCH_CACHE = 2, ITCH_RENDERER = 3 }; /* itch_item.kind */

/* One unit. */
typedef struct itch_item {
  uint32_t size;      /* sizeof(itch_item) */
  uint32_t kind;      /* ITCH_REPORT, ITCH_CACHE or ITCH_RENDERER */
  void *self;         /* the first argument of run, open and render; may be null */
  itch_str name;      /* as in the description; at most 64 bytes */
  itch_str spec_json; /* the description; at most 1 MiB */
  const void *vtable; /* itch_report, itch_cache or itch_renderer */
} itch_item;

/* The exported symbol. It is data, which itch reads and checks before it calls any function of the plugin. */
typedef struct itch_plugin {
  uint32_t magic;          /* ITCH_MAGIC */
  uint32_t size;           /* sizeof(itch_plugin) */
  uint16_t abi_major;      /* ITCH_ABI_MAJOR */
  uint16_t abi_minor;      /* ITCH_ABI_MINOR */
  uint16_t min_host_minor; /* the smallest minor version of itch that it works with; 0 */
  uint16_t flags;          /* 0 */
  itch_str name;           /* the plugin's name: lower-case letters, digits, - and _; at most 64 bytes */
  itch_str version;        /* the plugin's version, such as 1.0.0; at most 64 bytes */
  itch_str about_json;     /* {"description":"","authors":"","license":"","repository":""}, or empty */
  /* Lists the units: the address of an array of `n` addresses. All of them stay valid and unchanged. */
  itch_status (*items)(const itch_item *const **items, size_t *n);
} itch_plugin;

/* Define it in one file: const itch_plugin itch_plugin_v1 = { ... }; the next line exports it. */
extern ITCH_EXPORT const itch_plugin itch_plugin_v1;

#ifdef __cplusplus
}
#endif

#endif
