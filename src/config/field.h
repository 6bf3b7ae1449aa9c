// For the files of the table: the member of Config that a row stores into. A member of an unnamed struct has no pointer
// to member that could be written shorter.
#define FIELD(member) [](Config& config) -> auto& { return config.member; }
