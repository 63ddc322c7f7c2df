//! The stories of `decide`: each test is an operator's session with one service, and its transcript tells
//! what was decided, a line each. Only [`story::Story`] and the fixtures touch the API. Beside them stands what is
//! stored and what is documented: records, manifests, names and events.

mod claims;
mod commit;
mod conditions;
mod documented;
mod dry_run;
mod due;
mod failing_over;
mod fixtures;
mod following;
mod gate_table;
mod gates;
mod given;
mod inventories;
mod kept;
mod names;
mod offers;
mod pass;
mod proof;
mod reading;
mod restoring;
mod resuming;
mod retention;
mod retries;
mod roles;
mod seen;
mod shown;
mod standing_by;
mod stored;
mod story;
mod strangers;
mod suspicion;
mod taken_back;
mod taking_turns;
mod telling;
mod told;
mod unread;
mod verifying;
mod watched;
mod who_serves;
