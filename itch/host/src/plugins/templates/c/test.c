/* Runs the report without itch: a host that keeps the rows, and two calls. */
#include <stdio.h>
#include <stdlib.h>
#include "itch_plugin.h"

static char printed[2000], failure[200];

static itch_status emit(itch_run *run, itch_str rows, uint32_t n) {
  (void)run, (void)n;
  snprintf(printed, sizeof printed, "%.*s", (int)rows.len, (const char *)rows.ptr);
  return ITCH_OK;
}

static void set_error(itch_run *run, itch_str error) {
  (void)run;
  snprintf(failure, sizeof failure, "%.*s", (int)error.len, (const char *)error.ptr);
}

static void check(const char *what, int holds) {
  if (holds) return;
  fprintf(stderr, "test.c: %s: printed %s, failed with %s\n", what, printed, failure);
  exit(1);
}

int main(void) {
  const itch_item *const *items;
  size_t n;
  itch_host host;
  char long_call[2000];
  memset(&host, 0, sizeof host);
  host.size = sizeof host;
  host.abi_major = ITCH_ABI_MAJOR;
  host.abi_minor = ITCH_ABI_MINOR;
  host.emit = emit;
  host.set_error = set_error;

  check("the units are given", itch_plugin_v1.items(&items, &n) == ITCH_OK && n == 1);
  check("the first is a report", items[0]->kind == ITCH_REPORT);
  const itch_report *report = (const itch_report *)items[0]->vtable;
  void *self = items[0]->self;

  itch_status status = report->run(self, &host, NULL, itch_text("{\"v\":1,\"args\":{\"who\":\"a \\\"world\\\"\"}}"));
  check("it greets", status == ITCH_OK && strcmp(printed, "[\"hello\",\"a \\\"world\\\"\"]\n") == 0);

  snprintf(long_call, sizeof long_call, "{\"args\":{\"who\":\"%01500d\"}}", 0);
  status = report->run(self, &host, NULL, itch_text(long_call));
  check("a name that is too long is refused", status == ITCH_E_USAGE && failure[0] != 0);
  puts("ok");
  return 0;
}
