// Opening, the mail path's entrances, and closing.
#include "base/log.h"
#include "store/schema.h"
#include "store/store_impl.h"

namespace posthaste::store {

Result<std::unique_ptr<Store>> Store::open(const config::Config& config, const StoreOptions& options) try {
  auto own = std::make_unique<const config::Config>(config);
  const DatabaseOptions database_options{.read_only = options.read_only, .readers = options.reader_connections};
  auto databases =
      own->sqlite() ? open_sqlite_databases(*own, database_options) : open_mariadb_databases(*own, database_options);
  if (!databases) return std::unexpected(databases.error());
  auto store = std::make_unique<StoreImpl>(std::move(own), std::move(*databases), options);
  if (auto started = store->start(); !started) return std::unexpected(started.error());
  return store;
} catch (const sql::Failure& failure) {
  return fail(ErrorKind::Unavailable, "The database cannot be read.", failure.what());
}

StoreImpl::StoreImpl(std::unique_ptr<const config::Config> config, std::unique_ptr<Databases> databases,
                     const StoreOptions& options)
    : config_(std::move(config)),
      databases_(std::move(databases)),
      options_(options),
      lease_(*databases_, *config_),
      live_stats_(*databases_),
      requests_({*databases_, lease_, [this] { return snapshot(); },
                 [this](Write write, ConcludeDone done) { this->write(std::move(write), std::move(done)); }}),
      committer_(committer_context()) {}

StoreImpl::~StoreImpl() { close(); }

CommitterContext StoreImpl::committer_context() {
  return {.databases = *databases_,
          .raw_tables = raw_tables_,
          .tally = tally_,
          .conclude_rules = {.rewrite_in_place = config_->posthaste.coexist_with_postal,
                             .suppression_days = int(config_->postal.default_suppression_list_automatic_removal_days)},
          .lease = [this]() -> const std::string& { return lease_.text(); },
          .may_share_raw = [this](const Submission& submission) { return may_share_raw(submission); },
          .note_due =
              [this](Id server_id, Time due) {
                if (databases_->sqlite()) due_.note(server_id, due);
              },
          .note_requests =
              [this](Id server_id) {
                requests_.note_due(server_id, Time{});
                requests_.tell();
              },
          .note_leased =
              [this](Id server_id) {
                const std::scoped_lock lock(places_mutex_);
                leased_places_.insert(databases_->sqlite() ? server_id : 0);
              },
          .note_unsettled = [this](Id server_id,
                                   std::vector<std::string> tokens) { note_unsettled(server_id, std::move(tokens)); },
          .note_gone = [this](const sql::Failure& failure) { note_gone(failure); }};
}

// Postal rewrites raw rows in place when it tracks clicks: where a tracking domain applies each message keeps its own
// copy, so that going back to Postal stays possible (data-model.md section 10).
bool StoreImpl::may_share_raw(const Submission& submission) const {
  if (config_->posthaste.coexist_with_postal) return false;
  if (submission.messages.size() < 2) return true;
  const SnapshotPtr now = snapshot();
  return std::ranges::none_of(submission.messages,
                              [&](const NewMessage& m) { return m.domain_id && now->tracked(*m.domain_id); });
}

Result<> StoreImpl::start() {
  if (auto current = check_schemas(); !current) return current;
  reload_directory();
  if (options_.read_only) return {};
  if (databases_->sqlite())
    for (const Server* server : snapshot()->servers()) {  // nobody knows yet
      due_.note(server->id, Time{});
      requests_.note_due(server->id, Time{});
    }
  const auto commit = [this](std::vector<JobPtr> jobs) {
    ++writes_;
    return committer_.commit(std::move(jobs));
  };
  writer_ = std::make_unique<Writer>(databases_->sqlite() ? options_.writer_threads : 1, commit);
  maintenance_ = std::thread([this] { maintain(); });
  return {};
}

Result<> StoreImpl::check_schemas() {
  Result<> current;
  std::optional<Id> newest;
  with_connection(*databases_->main().read, [&](sql::Connection& connection) {
    current = check_main_schema(connection, databases_->names(0));
    if (!current) return;
    newest = connection.scalar(
        sql::bind_names("SELECT MAX(id) FROM {main}`servers` WHERE deleted_at IS NULL", databases_->names(0)));
  });
  if (!current || !newest) return current;
  // One message database stands for all: they are migrated together.
  try {
    with_connection(*databases_->messages(*newest).read, [&](sql::Connection& connection) {
      current = check_message_schema(connection, databases_->names(*newest));
    });
  } catch (const sql::Failure& failure) {
    if (failure.kind() != sql::FailureKind::MissingTable) throw;
    log::warn("store", "a mail server has no message database",
              {{"server_id", *newest}, {"action", "run 'posthaste initialize' to make it"}});
  }
  return current;
}

void StoreImpl::accept(Submission submission, bool claim, AcceptDone done) {
  if (!writer_) return done(fail(ErrorKind::Unavailable, "The database is opened for reading only."));
  const Id lane = databases_->lane(submission.server_id);
  writer_->submit(lane, make_job(AcceptJob{std::move(submission), claim, std::move(done)}));
}

void StoreImpl::conclude(Conclusion conclusion, ConcludeDone done) {
  if (!writer_) return done(fail(ErrorKind::Unavailable, "The database is opened for reading only."));
  const Id lane = databases_->lane(conclusion.server_id);
  writer_->submit(lane, make_job(ConcludeJob{std::move(conclusion), std::move(done)}));
}

void StoreImpl::write(Write write, ConcludeDone done) {
  if (!writer_) return done(fail(ErrorKind::Unavailable, "The database is opened for reading only."));
  const Id lane = databases_->lane(write.server_id);
  writer_->submit(lane, make_job(WriteJob{std::move(write), std::move(done)}));
}

bool StoreImpl::healthy() const { return reachable_ && committer_.healthy(); }

void StoreImpl::close() {
  if (std::exchange(closed_, true)) return;
  if (writer_) writer_->close();
  if (maintenance_.joinable()) {
    {
      const std::scoped_lock lock(stop_mutex_);
      stopping_ = true;
    }
    stop_.notify_all();
    maintenance_.join();
  }
  try {
    lease_.sign_off();
  } catch (const sql::Failure& failure) {
    log::warn("store", "could not sign off; other processes notice within a minute", {{"error", failure.what()}});
  }
}

}  // namespace posthaste::store
