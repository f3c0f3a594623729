// The paths of who stores a function and of who owns it.
#pragma once

#include "calls.hpp"

namespace bento::gateway {

task<void> answer_store(context c, web::exchange& to);
/// Only with the owner token, which the answer to /store had.
task<void> answer_delete(context c, web::exchange& to);
task<void> answer_register(context c, web::exchange& to);

}  // namespace bento::gateway
