// bentoctl: reads the command line, runs one command, tells its error and turns it into an exit status.
#include <signal.h>
#include <sys/stat.h>

#include <bento/base/units.hpp>
#include <bento/box/jail.hpp>

#include "command.hpp"
#include "options.hpp"
#include "terminal.hpp"

using namespace bento;

namespace {

int report(cli::terminal& out, const error& e) {
    out.fail(e);
    if (const auto hint = cli::hint_for(e); !hint.empty()) out.hint(hint);
    return cli::exit_status(e);
}

}  // namespace

int main(int argc, char** argv) {
    // The sandbox's helper is this program, started again by the box.
    if (argc > 1 && std::string_view{argv[1]} == box::jail_argument) return box::jail_main(argc, argv);
    ::signal(SIGPIPE, SIG_IGN);
    ::umask(0077);

    cli::globals globals;
    CLI::App app{"Hosts hidden Bento servers on Tor, and calls their functions.", "bentoctl"};
    cli::declare_globals(app, globals);
    cli::runner chosen;
    for (const auto& row : cli::commands()) {
        auto* options = app.add_subcommand(row.name, row.summary);
        options->callback([&chosen, run = row.declare(*options)] { chosen = run; });
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& e) {
        return app.exit(e);
    } catch (const CLI::CallForVersion& e) {
        return app.exit(e);
    } catch (const CLI::ParseError& e) {
        cli::terminal out{globals};
        out.fail(e.what());
        out.hint("bentoctl --help, or bentoctl COMMAND --help");
        return 2;
    }
    cli::terminal out{globals};
    try {
        const auto status = chosen(globals);
        return status ? *status : report(out, status.error());
    } catch (const failure& e) {
        return report(out, e.what_failed);
    } catch (const std::exception& e) {
        out.fail(e.what());
        return 1;
    }
}
