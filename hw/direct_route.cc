// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/direct_route.h"

#include <gio/gio.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"

namespace sphere::hw {

namespace {

struct Routes {
  Mutex mutex;  // protects `all`; the innermost
  std::vector<std::pair<std::string, uint16_t>> all SPHERE_GUARDED_BY(mutex);
};

Routes& routes() {
  static Routes one;
  return one;
}

bool is_direct(const char* uri) {
  g_autofree char* host = nullptr;
  int port = -1;
  if (!g_uri_split_network(uri, G_URI_FLAGS_NONE, nullptr, &host, &port, nullptr) || !host)
    return false;
  Routes& known = routes();
  const Lock lock(known.mutex);
  return std::ranges::any_of(known.all, [&](const auto& route) {
    return route.second == port && g_ascii_strcasecmp(route.first.c_str(), host) == 0;
  });
}

char** direct_answer() {
  static const char* const direct[] = {"direct://", nullptr};
  return g_strdupv(const_cast<char**>(direct));
}

}  // namespace

}  // namespace sphere::hw

// --- the resolver ----------------------------------------------------------------------------

struct SphereDirectResolver {
  GObject parent;
  GProxyResolver* next;  // the one that would be the default; NULL if there is none
};
struct SphereDirectResolverClass {
  GObjectClass parent;
};

static void sphere_direct_resolver_iface_init(GProxyResolverInterface* iface);
static GType sphere_direct_resolver_get_type();

G_DEFINE_TYPE_WITH_CODE(SphereDirectResolver, sphere_direct_resolver, G_TYPE_OBJECT,
                        G_IMPLEMENT_INTERFACE(G_TYPE_PROXY_RESOLVER,
                                              sphere_direct_resolver_iface_init))

namespace {

GProxyResolver* next_of(gpointer resolver) {
  return static_cast<SphereDirectResolver*>(resolver)->next;
}

gchar** lookup(GProxyResolver* resolver, const gchar* uri, GCancellable* cancellable,
               GError** error) {
  GProxyResolver* next = next_of(resolver);
  if (!next || sphere::hw::is_direct(uri)) return sphere::hw::direct_answer();
  return g_proxy_resolver_lookup(next, uri, cancellable, error);
}

void lookup_async(GProxyResolver* resolver, const gchar* uri, GCancellable* cancellable,
                  GAsyncReadyCallback callback, gpointer data) {
  GTask* task = g_task_new(resolver, cancellable, callback, data);
  GProxyResolver* next = next_of(resolver);
  if (!next || sphere::hw::is_direct(uri)) {
    g_task_return_pointer(task, sphere::hw::direct_answer(),
                          reinterpret_cast<GDestroyNotify>(g_strfreev));
    g_object_unref(task);
    return;
  }
  const auto answered = +[](GObject* source, GAsyncResult* result, gpointer owned) {
    const sphere::ObjectRef<GTask> waiting(G_TASK(owned));
    GError* error = nullptr;
    if (char** found = g_proxy_resolver_lookup_finish(G_PROXY_RESOLVER(source), result, &error))
      g_task_return_pointer(waiting.get(), found, reinterpret_cast<GDestroyNotify>(g_strfreev));
    else
      g_task_return_error(waiting.get(), error);
  };
  g_proxy_resolver_lookup_async(next, uri, cancellable, answered, task);
}

gchar** lookup_finish(GProxyResolver*, GAsyncResult* result, GError** error) {
  return static_cast<gchar**>(g_task_propagate_pointer(G_TASK(result), error));
}

/// The first of the resolvers after this one that can be used, like GIO's choice.
GProxyResolver* make_next() {
  GIOExtensionPoint* point = g_io_extension_point_lookup(G_PROXY_RESOLVER_EXTENSION_POINT_NAME);
  for (GList* one = g_io_extension_point_get_extensions(point); one; one = one->next) {
    const GType type = g_io_extension_get_type(static_cast<GIOExtension*>(one->data));
    if (type == sphere_direct_resolver_get_type()) continue;
    auto* made = static_cast<GProxyResolver*>(g_object_new(type, nullptr));
    if (g_proxy_resolver_is_supported(made)) return made;
    g_object_unref(made);
  }
  return nullptr;
}

// Higher than all others: in GIO's own modules, the highest is 100.
constexpr int priority = 1000;

void register_resolver() {
  static const bool once = [] {
    // GIO does it only when it searches for a resolver itself. It may be done twice.
    g_io_extension_point_register(G_PROXY_RESOLVER_EXTENSION_POINT_NAME);
    return g_io_extension_point_implement(G_PROXY_RESOLVER_EXTENSION_POINT_NAME,
                                          sphere_direct_resolver_get_type(), "sphere-direct",
                                          priority) != nullptr;
  }();
  (void)once;
}

}  // namespace

static void sphere_direct_resolver_iface_init(GProxyResolverInterface* iface) {
  iface->is_supported = [](GProxyResolver*) -> gboolean { return TRUE; };
  iface->lookup = lookup;
  iface->lookup_async = lookup_async;
  iface->lookup_finish = lookup_finish;
}

static void sphere_direct_resolver_finalize(GObject* object) {
  g_clear_object(&reinterpret_cast<SphereDirectResolver*>(object)->next);
  G_OBJECT_CLASS(sphere_direct_resolver_parent_class)->finalize(object);
}

static void sphere_direct_resolver_class_init(SphereDirectResolverClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = sphere_direct_resolver_finalize;
}

static void sphere_direct_resolver_init(SphereDirectResolver* self) { self->next = make_next(); }

namespace sphere::hw {

DirectRoute::DirectRoute(std::string host, uint16_t port) : host_(std::move(host)), port_(port) {
  register_resolver();
  Routes& known = routes();
  const Lock lock(known.mutex);
  known.all.emplace_back(host_, port_);
}

DirectRoute::~DirectRoute() {
  Routes& known = routes();
  const Lock lock(known.mutex);
  // Removes one of several equal entries, because there may be several connections to one camera.
  const auto found = std::ranges::find(known.all, std::pair(host_, port_));
  if (found != known.all.end()) known.all.erase(found);
}

bool DirectRoute::is_proxied() const {
  const GString_ uri(
      g_uri_join(G_URI_FLAGS_NONE, "rtsp", nullptr, host_.c_str(), port_, "", nullptr, nullptr));
  char** found =
      g_proxy_resolver_lookup(g_proxy_resolver_get_default(), uri.get(), nullptr, nullptr);
  const bool proxied = found && found[0] && !g_str_has_prefix(found[0], "direct:");
  g_strfreev(found);
  return proxied;
}

}  // namespace sphere::hw
