// The Python that is part of the program (driver.py, describe.py), as text.
#pragma once

#include <string_view>

namespace bento::box {

extern const std::string_view driver_script;
extern const std::string_view describe_script;

}  // namespace bento::box
