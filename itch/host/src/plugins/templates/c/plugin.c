/* `itch {{name}}`: greet somebody. itch_plugin.h says what else there is. */
#include <stdio.h>
#include "itch_plugin.h"

static const char SPEC[] =
  "{\"spec\":1,\"name\":\"{{name}}\",\"summary\":\"Greet somebody\","
  "\"arguments\":[{\"name\":\"who\",\"kind\":\"text\",\"position\":0,\"required\":true,\"help\":\"Who is greeted\"}],"
  "\"columns\":[{\"name\":\"greeting\",\"type\":\"text\",\"help\":\"What is said\"},"
  "{\"name\":\"who\",\"type\":\"text\",\"help\":\"Who is greeted\"}],"
  "\"examples\":[{\"command\":\"itch {{name}} world\",\"help\":\"Greet the world\"}]}";

/* A text in JSON, quotes and escapes as they stand there. A library for JSON can do more. */
static itch_str text_of(itch_str json, const char *member) {
  itch_str found = { json.ptr, 0 }, key = itch_text(member);
  for (size_t at = 0; at + key.len < json.len; at++) {
    if (memcmp(json.ptr + at, key.ptr, key.len) != 0) continue;
    found.ptr += at + key.len;
    for (at += key.len + 1; at < json.len && json.ptr[at] != '"'; at++) at += json.ptr[at] == '\\';
    found.len = (size_t)(json.ptr + at + 1 - found.ptr);
    break;
  }
  return found;
}

static itch_status run(void *self, const itch_host *host, itch_run *r, itch_str call) {
  char row[1000];
  itch_str who = text_of(call, "\"who\":"), rows = { (const uint8_t *)row, 0 };
  (void)self;
  int length = snprintf(row, sizeof row, "[\"hello\",%.*s]\n", (int)who.len, (const char *)who.ptr);
  if (length < 0 || (size_t)length >= sizeof row) {
    host->set_error(r, itch_text("the name is too long to be greeted"));
    return ITCH_E_USAGE;
  }
  rows.len = (size_t)length;
  return host->emit(r, rows, 1);
}

static const itch_report report = { sizeof(itch_report), run };
static const itch_item item = {
  sizeof(itch_item), ITCH_REPORT, NULL, ITCH_STR("{{name}}"), { (const uint8_t *)SPEC, sizeof SPEC - 1 }, &report
};
static const itch_item *const all[] = { &item };

static itch_status items(const itch_item *const **out, size_t *n) {
  *out = all;
  *n = sizeof all / sizeof *all;
  return ITCH_OK;
}

const itch_plugin itch_plugin_v1 = {
  ITCH_MAGIC, sizeof(itch_plugin), ITCH_ABI_MAJOR, ITCH_ABI_MINOR, 0, 0,
  ITCH_STR("{{name}}"), ITCH_STR("0.1.0"), ITCH_STR(""), items
};
