#include "app/installation.h"

namespace posthaste::app {

OwnInstallation::OwnInstallation(const config::Config&) {}

Result<std::unique_ptr<OwnInstallation>> OwnInstallation::open(const config::Config& config) {
  std::unique_ptr<OwnInstallation> own(new OwnInstallation(config));

  auto store = store::Store::open(config);
  if (!store) return std::unexpected(std::move(store.error()));
  own->store_ = std::move(*store);

  io::ResolverOptions options;
  options.resolv_conf_path = config.dns.resolv_conf_path;
  options.timeout = std::chrono::seconds(config.dns.timeout);
  auto resolver = io::make_resolver(options);
  if (!resolver) return std::unexpected(std::move(resolver.error()));
  own->resolver_ = std::move(*resolver);

  own->runtime_.start();
  own->intake_ = std::make_unique<intake::Intake>(*own->store_, config, nullptr);
  own->installation_ = std::make_unique<Installation>(config, *own->store_, *own->resolver_, own->runtime_, own->pool_,
                                                      nullptr, own->intake_.get());
  return own;
}

OwnInstallation::~OwnInstallation() {
  runtime_.stop();
  if (store_) store_->close();
}

}  // namespace posthaste::app
