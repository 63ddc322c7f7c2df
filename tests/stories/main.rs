//! The stories of `decide`: each test is an operator's session with one service, and its transcript tells
//! what was decided, a line each. Only [`story::Story`] touches the API.

mod claims;
mod commit;
mod dry_run;
mod due;
mod fixtures;
mod following;
mod gates;
mod offers;
mod proof;
mod restoring;
mod retries;
mod roles;
mod seen;
mod story;
mod taking_turns;
mod told;
