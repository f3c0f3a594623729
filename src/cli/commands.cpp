#include <array>

#include "command.hpp"

namespace bento::cli {

std::span<const command> commands() {
    static constexpr std::array table{
        command{"serve", "host a hidden Bento server", declare_serve},
        command{"box", "run only the function server, on the Bento protocol", declare_box},
        command{"directory", "run a Bento Function Directory", declare_directory},
        command{"store", "store a function, print its token", declare_store},
        command{"exec", "run a function to completion, print nothing but failures", declare_exec},
        command{"open", "run a function, stream what it sends", declare_open},
        command{"ps", "the running functions started from here", declare_ps},
        command{"attach", "go on with a running function", declare_attach},
        command{"close", "end a running function", declare_close},
        command{"functions", "the functions stored from here, or on this host", declare_functions},
        command{"register", "enter a function into the directories, print what to share", declare_register},
        command{"reregister", "renew a function's entry", declare_reregister},
        command{"unregister", "end a function's entry, for ever", declare_unregister},
        command{"lookup", "what the directories say of a token", declare_lookup},
        command{"rotate", "a new onion in the place of the old one; no token changes", declare_rotate},
        command{"status", "the onion, the functions and the registrations of this host", declare_status},
        command{"onion", "onion services for whatever listens on this machine", declare_onion},
        command{"key", "keys of onion services and of their clients, offline", declare_key},
        command{"tor", "the control port at a terminal", declare_tor},
        command{"config", "check the configuration", declare_config},
        command{"doctor", "what is wrong on this machine, and the line to change", declare_doctor},
        command{"testnet", "a private Tor network on loopback", declare_testnet},
        command{"demo", "the whole story on a private network, step by step", declare_demo},
    };
    return table;
}

}  // namespace bento::cli
