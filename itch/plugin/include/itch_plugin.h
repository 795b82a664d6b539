/* itch_plugin.h: the plugin boundary of itch, version 1.0.
 *
 * A plugin is a shared library with one or several units: reports (commands that print rows), caches (stores for
 * Twitch's answers) and renderers (which draw charts). It exports one symbol, `itch_plugin_v1`, and is put into a
 * directory that `itch plugins path` names:
 *
 *     cc -std=c11 -shared -fPIC -fvisibility=hidden -o hello.so hello.c
 *     itch plugins add hello.so
 *
 * This file is all that a plugin needs. It is C11 and C++17.
 *
 * Rules, for every entry on both sides
 *
 *   Texts     are UTF-8 by pointer and length, never ended by a zero byte. JSON is UTF-8 text.
 *   Memory    Whoever is given a pointer copies what it keeps: what was lent ends with the call. Only itch allocates
 *             for the other side: an itch_buf is given back by `buf_free`, once. A plugin never frees what is not its
 *             own, and itch frees nothing of a plugin's.
 *   Errors    An entry answers an itch_status. A negative one is a failure. Where itch fails, an error stands in the
 *             out buffer of the call (see "Errors" below); where a plugin fails, it calls `set_error` and then returns
 *             the status.
 *   Unwinding No exception, longjmp or panic crosses: catch it and return ITCH_E_PANIC.
 *   Threads   Every entry of itch's may be called from any thread, until the entry that was given the run returns.
 *             A plugin that starts threads joins them before.
 *   Unloading never happens. Whatever has to be written is written before the entry returns.
 *   Output    A plugin prints nothing to stdout itself: rows go through `emit`, talk through `log`.
 *   Sign-in   A plugin names endpoints; itch adds the credentials, which a plugin never sees.
 *
 * Versions
 *
 *   Every struct says its size, first of all (itch_plugin: behind its magic number). Version 1.0 is everything in this
 *   file, and is always there. A later 1.x adds fields at the end of a struct: before using one, ask
 *
 *       if (ITCH_HAS(host, itch_host, new_entry)) host->new_entry(...); else ...;
 *
 *   `abi_minor` says what a plugin was built with, `min_host_minor` what it cannot do without; itch refuses a plugin
 *   only for the latter. Unknown kinds of units are skipped. JSON may gain members: ignore those you do not know.
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

#define ITCH_MAGIC 0x48435449u /* "ITCH", read as a little-endian number */
#define ITCH_ABI_MAJOR 1       /* stands in the name of the symbol as well */
#define ITCH_ABI_MINOR 0       /* grows with every addition */

/* Whether the struct behind a pointer is long enough to have a field. */
#define ITCH_HAS(pointer, type, field) ((pointer)->size >= offsetof(type, field) + sizeof((pointer)->field))

/* ---- Values ---------------------------------------------------------------------------------------------------- */

/* A text, or a run of bytes, that is lent. `ptr` may be anything where `len` is 0. */
typedef struct itch_str {
  const uint8_t *ptr;
  size_t len; /* bytes */
} itch_str;

/* An itch_str of a literal, as an initialiser: static const itch_str NAME = ITCH_STR("hello"); */
#define ITCH_STR(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }

/* An itch_str of a text that ends with a zero byte. */
static inline itch_str itch_text(const char *text) {
  itch_str str;
  str.ptr = (const uint8_t *)text;
  str.len = strlen(text);
  return str;
}

/* Memory of itch's, lent until `buf_free`. Empty where `ptr` is null. */
typedef struct itch_buf {
  uint8_t *ptr;
  size_t len;  /* bytes */
  void *owner; /* itch's own note; leave it as it is */
} itch_buf;

/* What an entry answers. A positive one that is not said to be an answer of this very entry is a failure, too. */
typedef int32_t itch_status;
enum {
  ITCH_OK = 0,             /* done as asked */
  ITCH_DONE = 1,           /* there are no more pages */
  ITCH_CANCELLED = 2,      /* the reader is gone, the limit is reached or the person interrupted: return it, quietly */
  ITCH_MISS = 3,           /* a cache has no such key */
  ITCH_TOO_LARGE = 4,      /* a cache cannot hold a value of this size, and has left it out */
  ITCH_E_FAILED = -1,      /* anything else: a full disk */
  ITCH_E_USAGE = -2,       /* what was asked for cannot be meant */
  ITCH_E_NOT_FOUND = -3,   /* the channel, video or user does not exist */
  ITCH_E_SIGN_IN = -4,     /* no identity, a refused one, or one without the needed scope */
  ITCH_E_SERVICE = -5,     /* the service could not be reached, or gave out after every try */
  ITCH_E_RATE_LIMITED = -6, /* the rate limit left no way to go on */
  ITCH_E_UNSUPPORTED = -7, /* this cannot be done here */
  ITCH_E_PANIC = -8,       /* the plugin caught an exception of its own */
  ITCH_E_BAD_DATA = -9,    /* the service answered something that cannot be understood */
  ITCH_E_OFFLINE_MISS = -10 /* --offline, and no cache has the answer */
};

/* Errors
 *
 * As JSON: {"kind":"not-found","message":"there is no channel `x`","hint":"itch created x","causes":["..."],
 * "http":404,"service":"helix"}. `kind` and `message` are always there. Kinds: failed, usage, not-found, sign-in,
 * service, rate-limited, unsupported, panic, bad-data, offline-miss, cancelled. A message is one sentence without a
 * final period, a hint is a command to run. "details" may repeat parts of the message as data:
 * {"reason":"client-refused","plugin":"x","rows":3,"row":4,"column":"created"}, each of them only where it is known:
 * `reason` is client-refused (GQL does not know the client id) or file-changed (of a plugin), `plugin` the one whose
 * fault it is, `rows` how many rows had been delivered before, `row` and `column` the cell that is wrong. */

/* ---- What itch offers ------------------------------------------------------------------------------------------ */

/* One invocation of a unit. Valid until the entry that was given it returns; that of a cache until `close` returns. */
typedef struct itch_run itch_run;
/* One walk over pages. */
typedef struct itch_pages itch_pages;

enum { ITCH_FROM_CACHE = 1 }; /* itch_response.flags */

/* A final answer. */
typedef struct itch_response {
  uint32_t size;        /* sizeof(itch_response), set by the plugin before the call */
  uint16_t http_status; /* 200 and so on */
  uint16_t flags;       /* ITCH_FROM_CACHE */
  uint64_t age_ms;      /* how long ago a cache stored it, in milliseconds */
  itch_buf body;        /* the body, or an error as JSON where the status is negative; give it back either way */
} itch_response;

enum { ITCH_LOG_ERROR = 1, ITCH_LOG_WARNING = 2, ITCH_LOG_INFORMATION = 3, ITCH_LOG_DEBUG = 4 };

/* Requests
 *
 * As JSON: {"service":"helix","path":"channels/followers","query":[["broadcaster_id","123"],["first","100"]],
 * "freshness":"endpoint"}. Only `service` and `path` are needed.
 *
 *   service    helix, the API of today (https://dev.twitch.tv/docs/api/reference); gql; kraken, tmi, rechat and loots,
 *              which answer from archives alone
 *   path       below the service's address, without a leading slash
 *   query      pairs of texts, in the order in which they are sent; a name may stand several times
 *   body       for gql only
 *   freshness  how old a stored answer may be: "endpoint" (as `policy` says), "fresh" (not at all), {"max-age":60}
 *              (seconds), "immutable" (any age)
 *   policy     for an endpoint that itch does not know: for how many seconds its answers are fresh, and who may share
 *              them, as {"max_age":3600,"scope":"everybody"}. "scope" is "everybody", "user" (the user who asks), or
 *              {"user-with":"user:read:email"} (everybody but users whose token has that scope). Without it, answers
 *              are fresh for an hour and, on helix, the asking user's alone. An itch that is too old to know it
 *              ignores it.
 *
 * itch waits for the rate limit, tries again what failed in passing, and stores answers in the caches that the person
 * chose. Calls block; to have several requests under way, `fetch` them all and `wait` for one after the other. */
typedef struct itch_host {
  uint32_t size;
  uint16_t abi_major; /* of itch */
  uint16_t abi_minor; /* of itch */

  /* Fetches a request and gives the body of a successful answer. On failure, also where the HTTP status is none of
   * 200 to 299, `out` holds an error. `out` is to be given back either way. */
  itch_status (*get)(itch_run *run, itch_str request_json, itch_buf *out);

  /* Starts a request and gives its ticket at once. One that cannot start fails where its ticket is waited for. */
  itch_status (*fetch)(itch_run *run, itch_str request_json, uint64_t *ticket);
  /* Waits for the final answer, whatever its HTTP status; the ticket is used up. */
  itch_status (*wait)(itch_run *run, uint64_t ticket, itch_response *out);
  /* Waits until one of `n` tickets has ended, and gives its place among them; none is used up. */
  itch_status (*wait_any)(itch_run *run, const uint64_t *tickets, size_t n, size_t *which);
  /* Gives up a ticket that will not be waited for. */
  void (*ticket_drop)(itch_run *run, uint64_t ticket);

  /* Starts a walk over the pages of a Helix list. Beside the members of a request: "limit", how many rows are wanted
   * at most; "unique_by", a field by which rows that come twice are told and left out; "expect", what the list counts,
   * so that itch compares its total with what arrived; "max", the largest page that the endpoint gives (100). The next
   * page is fetched while one is being read. On failure `error`, which may be null, holds an error to be given back. */
  itch_status (*pages_open)(itch_run *run, itch_str request_json, itch_pages **out, itch_buf *error);
  /* The next page's rows as a JSON array, or ITCH_DONE. On failure `out` holds an error, and the walk has ended. `out`
   * is to be given back in every case. */
  itch_status (*pages_next)(itch_pages *pages, itch_buf *out);
  /* Ends a walk, once, wherever it stands. */
  void (*pages_close)(itch_pages *pages);

  /* Prints `n` rows: each a JSON array of cells in the order of the declared columns, each ended by a line feed.
   * Cells: null; true and false; int: a whole number; float: a number; text: a text; time: milliseconds since 1970,
   * UTC, as a whole number; duration: seconds as a number. itch formats. Ids are texts.
   * Hand rows over before waiting for an answer, a few hundred at once where there are many. A row is at most 64 MiB
   * long. Rows that are longer, miscounted or not ended are refused, and so is one that does not fit the columns: the
   * run ends with an error then, whatever the report answers. */
  itch_status (*emit)(itch_run *run, itch_str rows, uint32_t n);

  /* Notes a fact, or an array of them, of which itch makes the verdict whether the output is complete:
   * {"fact":"expected","what":"followers","n":12}, {"fact":"repeated","n":1},
   * {"fact":"missing","what":"accounts","n":2,"examples":["a"],"remark":"created empty"}, {"fact":"looped"},
   * {"fact":"gap","from":"1:00","to":"2:00","reason":"the service gave out"}, {"fact":"recovered","n":1}. Missing is
   * what the service does not have any more; a remark says what became of its rows. */
  itch_status (*note)(itch_run *run, itch_str facts_json);
  /* Says how far the work is; `total` 0 means unknown. Rows are counted anyhow. */
  void (*progress)(itch_run *run, uint64_t done, uint64_t total);
  /* Writes a line to the log. Errors and warnings reach the person, as itch's own do, also with -q; the rest is shown
   * by `itch -v`. */
  void (*log)(itch_run *run, int32_t level, itch_str message);
  /* ITCH_CANCELLED if the run should stop, else ITCH_OK. For units that work long without asking anything. */
  itch_status (*cancelled)(itch_run *run);
  /* Explains the status about to be returned: an error as JSON, or any text, which becomes its message. */
  void (*set_error)(itch_run *run, itch_str error);
  /* Gives memory back. An empty buffer is allowed. */
  void (*buf_free)(itch_buf buf);
} itch_host;

/* Takes bytes from a plugin, once or several times. Anything but ITCH_OK: stop and return it. */
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
 *              with "position" it stands behind the command, else it is an option --name; "repeat" lets it stand
 *              several times; "default" holds where it is not given. itch parses, checks and fills in.
 *   columns    type: bool, int, float, text, time, duration; "unit"; "precision", decimal places; "default":false
 *              prints it only where --columns names it
 *   scopes     OAuth scopes that the token needs: ["moderator:read:followers"]
 *   aliases    other names: [{"name":"hi"}]
 *   chart      how to plot it: {"x":"time","y":"count","mark":"scatter"}; mark: scatter, line, mixed
 *   variables  environment variables that it reads: [{"name":"HELLO","help":"...","default":"..."}]; others are not in
 *              its environment
 */
typedef struct itch_report {
  uint32_t size;
  /* Runs one call: emits its rows in order.
   * {"v":1,"report":"hello","args":{"who":"world","times":1},"columns":["greeting"],"columns_named":false,
   *  "source":"twitch","direction":"desc","limit":null}
   * An argument that may repeat is an array. A channel is a login or id: and a number, a time is milliseconds since
   * 1970, a duration or offset is seconds. Cells of columns that are not in "columns" may be null. itch cuts at the
   * limit; a report that knows it asks Twitch for no more. Rows come newest first where the direction is "desc". */
  itch_status (*run)(void *self, const itch_host *host, itch_run *run, itch_str call_json);
} itch_report;

/* ---- Caches ---------------------------------------------------------------------------------------------------- */

/* The description of a cache:
 *
 *   {"spec":1,"name":"shelf","summary":"A folder with a file for each response","help":"...",
 *    "variables":[{"name":"SHELF","help":"The folder","default":"/var/cache/shelf"}]}
 *
 * A cache stores bytes under a key of 64 lower-case hexadecimal digits. What they mean, checksums and age are itch's
 * business. The entries of one store are called from one thread at a time, all with the run it was opened under,
 * which has a log and an error, and neither rows nor requests. A failure means that the store cannot be used any
 * more; itch goes on without it. */

#define ITCH_UNKNOWN UINT64_MAX /* in itch_stats: the store cannot say */

typedef struct itch_stats {
  uint32_t size;    /* sizeof(itch_stats), set by itch; write no further */
  uint64_t entries; /* values */
  uint64_t bytes;   /* their bytes */
} itch_stats;

/* Takes one value of a scan. Anything but ITCH_OK: stop and return ITCH_OK. `modified_ms` 0 means unknown. */
typedef itch_status (*itch_visit)(void *sink, itch_str key, uint64_t bytes, uint64_t modified_ms);

typedef struct itch_cache {
  uint32_t size;
  /* Opens the store, without contacting a server before it is needed. The settings:
   * {"variables":{"SHELF":"/tmp/shelf"},"max_bytes":null,"strict":false}
   * Variables that are not set are absent: the declared default is for the plugin to fill in. */
  itch_status (*open)(void *self, const itch_host *host, itch_run *run, itch_str settings_json, void **store);
  /* Pushes a value, or answers ITCH_MISS. `modified_ms`, milliseconds since 1970, stays 0 where it is not known. */
  itch_status (*get)(void *store, itch_run *run, itch_str key, void *sink, itch_push push, uint64_t *modified_ms);
  /* Stores a value in place of any other, or answers ITCH_TOO_LARGE. After `ttl_ms` it may be forgotten; 0 means that
   * it may stay for ever. */
  itch_status (*put)(void *store, itch_run *run, itch_str key, itch_str value, uint64_t ttl_ms);
  /* Forgets a value. A key without one is no error. */
  itch_status (*remove)(void *store, itch_run *run, itch_str key);
  /* Says how much is stored. */
  itch_status (*stats)(void *store, itch_run *run, itch_stats *out);
  /* Pushes where the data is, for people: a directory, a host and port. Never a password. */
  itch_status (*location)(void *store, itch_run *run, void *sink, itch_push push);
  /* Visits every value that itch stored, in any order. May be null, or answer ITCH_E_UNSUPPORTED. */
  itch_status (*scan)(void *store, itch_run *run, void *sink, itch_visit visit);
  /* Closes the store; called once. */
  void (*close)(void *store);
  /* Forgets everything that itch stored, at once. May be null, or answer ITCH_E_UNSUPPORTED. It is for stores that
   * cannot scan. */
  itch_status (*clear)(void *store, itch_run *run);
} itch_cache;

/* ---- Renderers ------------------------------------------------------------------------------------------------- */

/* The description of a renderer:
 *
 *   {"spec":1,"name":"svg","summary":"Scalable vector graphics","help":"...","extensions":["svg"],
 *    "media_type":"image/svg+xml","terminal":false,"detail":"pixels"}
 *
 * `detail` says how much of the data it wants: "pixels" (what can be seen at the target's size, already gathered),
 * {"points":5000} (single points up to this number, gathered above it), "all" (every point). */

enum { ITCH_F64 = 1, ITCH_F32 = 2, ITCH_U8 = 3, ITCH_TEXT = 4, ITCH_U32 = 5 }; /* itch_values.kind */

/* A run of values that is lent. */
typedef struct itch_values {
  uint32_t kind;   /* ITCH_F64: double; ITCH_F32: float; ITCH_U8: uint8_t; ITCH_U32: uint32_t; ITCH_TEXT: UTF-8, each
                      text ended by \n */
  const void *ptr; /* the first, aligned as its type asks; may be anything where `len` is 0 */
  size_t len;      /* how many; for ITCH_TEXT bytes */
} itch_values;

typedef struct itch_renderer {
  uint32_t size;
  /* Draws one finished chart and writes its bytes in order. Lengths are pixels from the top left corner; scales,
   * ticks, places of labels and reduction are done:
   * {"title":"...","title_at":{"x":1080,"y":40},"target":{"width":2160,"height":1080,"dpi":180,"text":25,"line":2.5},
   *  "theme":{"name":"dark","background":"#0d0d0d","text":"#b3b3b3","grid":...,"dots":...,"bands":...,"line":...,
   *  "wash":...},
   *  "area":{"left":..,"top":..,"width":..,"height":..},
   *  "x":{"label":"...","label_at":{..} or null,"kind":"time" or "number","scale":"linear" or "log","min":..,"max":..,
   *       "ticks":[{"at":..,"label":"..."}]},
   *  "y":{..},"y2":{..} or null,"layers":[..],"legend":[{"layer":0,"label":"...","at":{..}}],"color_bar":null}
   * A layer names its data by their place among `buffers`:
   * {"layer":"points","x":0,"y":1,"shade":2,"density":null,"labels":null,"radius":2,"opacity":1}
   * {"layer":"cells","columns":..,"rows":..,"place":0,"count":1,"shade":2,"radius":..,"opacity":..}: for each pixel of
   *   the area with dots, rising, row x columns + column, how many, and the highest shade
   * {"layer":"line","x":0,"y":1,"right":false,"wash":false}
   * {"layer":"bands","from":0,"to":1}
   * Leave layers and kinds of values alone that you do not know. */
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

/* The one exported symbol. It is data, which itch reads and checks before it calls anything of a plugin's. */
typedef struct itch_plugin {
  uint32_t magic;          /* ITCH_MAGIC */
  uint32_t size;           /* sizeof(itch_plugin) */
  uint16_t abi_major;      /* ITCH_ABI_MAJOR */
  uint16_t abi_minor;      /* ITCH_ABI_MINOR */
  uint16_t min_host_minor; /* the smallest minor version of itch's that it can work with; 0 */
  uint16_t flags;          /* 0 */
  itch_str name;           /* the plugin's name: lower-case letters, digits, - and _; at most 64 bytes */
  itch_str version;        /* the plugin's version, such as 1.0.0; at most 64 bytes */
  itch_str about_json;     /* {"description":"","authors":"","license":"","repository":""}, or empty */
  /* Gives the units, as the address of `n` addresses. All of them stay as they are as long as the library does. */
  itch_status (*items)(const itch_item *const **items, size_t *n);
} itch_plugin;

/* Define it in one file: const itch_plugin itch_plugin_v1 = { ... }; this line exports it. */
extern ITCH_EXPORT const itch_plugin itch_plugin_v1;

#ifdef __cplusplus
}
#endif

#endif
