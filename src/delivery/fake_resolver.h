// DNS answers from a table, for this room's tests. Names without an entry do not exist. Test code only.
#pragma once

#include <map>

#include "io/resolver.h"

namespace posthaste::delivery::testing {

class FakeResolver : public io::Resolver {
 public:
  std::map<std::string, io::DnsAnswer<io::MxRecord>> mx_of;
  std::map<std::string, io::DnsAnswer<IpAddress>> a_of, aaaa_of;
  std::vector<std::string> asked;  // `mx x.test`

  void set_mx(const std::string& name, std::vector<io::MxRecord> records) {
    mx_of[name] = {io::DnsStatus::Ok, std::move(records)};
  }
  void set_a(const std::string& name, std::vector<std::string> addresses) {
    auto& answer = a_of[name];
    answer.status = io::DnsStatus::Ok;
    for (const auto& text : addresses) answer.records.push_back(*IpAddress::parse(text));
  }
  void set_aaaa(const std::string& name, const std::string& address) {
    aaaa_of[name] = {io::DnsStatus::Ok, {*IpAddress::parse(address)}};
  }
  void fail_mx(const std::string& name, io::DnsStatus status) { mx_of[name] = {status, {}}; }

  io::Task<io::DnsAnswer<io::MxRecord>> mx(std::string name, bool) override {
    asked.push_back("mx " + name);
    co_return answer_from(mx_of, name);
  }
  io::Task<io::DnsAnswer<IpAddress>> a(std::string name) override {
    asked.push_back("a " + name);
    co_return answer_from(a_of, name);
  }
  io::Task<io::DnsAnswer<IpAddress>> aaaa(std::string name) override {
    asked.push_back("aaaa " + name);
    co_return answer_from(aaaa_of, name);
  }
  io::Task<io::DnsAnswer<std::string>> txt(std::string, bool) override { co_return {}; }
  io::Task<io::DnsAnswer<std::string>> cname(std::string, bool) override { co_return {}; }
  io::Task<io::DnsAnswer<std::string>> ns(std::string) override { co_return {}; }
  io::Task<io::DnsAnswer<std::string>> ptr(IpAddress) override { co_return {}; }

 private:
  template <class T>
  static io::DnsAnswer<T> answer_from(const std::map<std::string, io::DnsAnswer<T>>& table, const std::string& name) {
    const auto at = table.find(name);
    if (at != table.end()) return at->second;
    io::DnsAnswer<T> none;
    none.status = io::DnsStatus::NxDomain;
    return none;
  }
};

}  // namespace posthaste::delivery::testing
