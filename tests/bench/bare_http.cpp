// Answers whatever it reads with the bytes of its standard input, from one epoll loop that reads nothing into a
// request: `bare_http PORT <ANSWER`. As many requests a second as the kernel and who asks allow.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>

namespace {

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

int listen_at(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("bind");
    if (::listen(fd, SOMAXCONN) != 0) die("listen");
    return fd;
}

void watch(int epoll, int fd, std::uint32_t events) {
    epoll_event what{};
    what.events = events;
    what.data.fd = fd;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &what) != 0) die("epoll_ctl");
}

void accept_from(int listener, int epoll) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) die("accept");
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(epoll, fd, EPOLLIN | EPOLLET);
}

void answer_to(int fd, const std::string& answer) {
    char request[16 * 1024];
    if (::recv(fd, request, sizeof request, 0) <= 0 ||
        ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(answer.size()))
        ::close(fd);
}

}  // namespace

int main(int count, char** arguments) {
    const std::string text = count == 2 ? arguments[1] : "";
    std::uint16_t port = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), port).ec != std::errc{}) {
        std::cerr << "usage: bare_http PORT <ANSWER\n";
        return 64;
    }
    const std::string answer{std::istreambuf_iterator<char>{std::cin}, {}};
    const int listener = listen_at(port), epoll = ::epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener, EPOLLIN);
    for (;;) {
        std::array<epoll_event, 128> ready{};
        const int n = ::epoll_wait(epoll, ready.data(), ready.size(), -1);
        for (int i = 0; i < n; ++i) {
            const int fd = ready[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener)
                accept_from(listener, epoll);
            else
                answer_to(fd, answer);
        }
    }
}
