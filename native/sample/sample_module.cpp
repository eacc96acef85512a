// A complete module for the external server, small enough to start your own from.
//
// Device type 0 is a button: each {"pressed": true} toggles a light, and the button is told with {"lit_up": true}
// or {"lit_up": false}. Device type 1 is an echo: every status comes back as a command, byte for byte.

#include "mooring_module.h"

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <new>
#include <string>

namespace {

constexpr int module_number = 1000;
constexpr unsigned int button_type = 0;
constexpr unsigned int echo_type = 1;

// A car that is away for long must not fill the memory: the oldest command goes.
constexpr std::size_t commands_max = 1000;

struct Device {
    unsigned int type;
    std::string role;
    std::string name;

    bool operator<(const Device &other) const {
        return type != other.type ? type < other.type : role < other.role;
    }
};

struct Command {
    Device device;
    std::string data;
};

// Everything of one car. The server serialises all calls but wait_for_command, so the mutex guards
// only against that one.
class Car {
public:
    bool connect(const Device &device) { return lit_.emplace(device, false).second; }

    bool disconnect(const Device &device) { return lit_.erase(device) == 1; }

    bool take_status(const Device &device, const std::string &status) {
        const auto known = lit_.find(device);
        if (known == lit_.end()) return false;
        if (device.type == echo_type) {
            push({device, status});
        } else if (status.find("\"pressed\": true") != std::string::npos) {
            known->second = !known->second;
            push({device, known->second ? "{\"lit_up\": true}" : "{\"lit_up\": false}"});
        }
        return true;
    }

    bool wait(std::chrono::milliseconds timeout) {
        std::unique_lock<std::mutex> lock(mutex_);
        // Thousands of cars are asked in turn without time to wait; even a wait of nothing would put the thread to sleep.
        if (timeout == std::chrono::milliseconds::zero()) return !commands_.empty();
        return ready_.wait_for(lock, timeout, [this] { return !commands_.empty(); });
    }

    // Returns how many are left, or -1 when there was none.
    int pop(Command &command) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (commands_.empty()) return -1;
        command = std::move(commands_.front());
        commands_.pop_front();
        return static_cast<int>(commands_.size());
    }

private:
    void push(Command command) {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (commands_.size() == commands_max) commands_.pop_front();
            commands_.push_back(std::move(command));
        }
        ready_.notify_one();
    }

    std::map<Device, bool> lit_;
    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<Command> commands_;
};

std::string text_of(const buffer &from) {
    return std::string(static_cast<const char *>(from.data), from.data == nullptr ? 0 : from.size_in_bytes);
}

Device device_of(const device_identification &from) {
    return {from.device_type, text_of(from.device_role), text_of(from.device_name)};
}

bool fill(buffer *to, const std::string &from) {
    if (allocate(to, from.size()) != OK) return false;
    std::memcpy(to->data, from.data(), from.size());
    return true;
}

} // namespace

int get_module_number(void) { return module_number; }

int is_device_type_supported(unsigned int device_type) {
    return device_type == button_type || device_type == echo_type ? OK : NOT_OK;
}

void *init(config) { return new (std::nothrow) Car(); }

int destroy(void **context) {
    if (context == nullptr || *context == nullptr) return CONTEXT_INCORRECT;
    delete static_cast<Car *>(*context);
    *context = nullptr;
    return OK;
}

int device_connected(const device_identification device, void *context) {
    if (context == nullptr) return CONTEXT_INCORRECT;
    return static_cast<Car *>(context)->connect(device_of(device)) ? OK : NOT_OK;
}

int device_disconnected(const int, const device_identification device, void *context) {
    if (context == nullptr) return CONTEXT_INCORRECT;
    return static_cast<Car *>(context)->disconnect(device_of(device)) ? OK : NOT_OK;
}

int forward_status(const buffer device_status, const device_identification device, void *context) {
    if (context == nullptr) return CONTEXT_INCORRECT;
    return static_cast<Car *>(context)->take_status(device_of(device), text_of(device_status)) ? OK : NOT_OK;
}

int forward_error_message(const buffer, const device_identification, void *context) {
    return context == nullptr ? CONTEXT_INCORRECT : OK;
}

int wait_for_command(int timeout_time_in_ms, void *context) {
    if (context == nullptr) return CONTEXT_INCORRECT;
    return static_cast<Car *>(context)->wait(std::chrono::milliseconds(timeout_time_in_ms)) ? OK : TIMEOUT_OCCURRED;
}

int pop_command(buffer *command, device_identification *device, void *context) {
    if (context == nullptr) return CONTEXT_INCORRECT;
    Command next;
    const int left = static_cast<Car *>(context)->pop(next);
    if (left < 0) return NOT_OK;
    device->module = module_number;
    device->device_type = next.device.type;
    device->priority = 0;
    // The server deallocates all three whatever is returned.
    const bool filled = fill(&device->device_role, next.device.role) && fill(&device->device_name, next.device.name)
        && fill(command, next.data);
    return filled ? left : NOT_OK;
}

int command_ack(const buffer, const device_identification, void *context) {
    return context == nullptr ? CONTEXT_INCORRECT : OK;
}

int allocate(buffer *buffer_pointer, const std::size_t size_in_bytes) {
    // malloc(0) may return NULL, which would look like a failure.
    buffer_pointer->data = std::malloc(size_in_bytes == 0 ? 1 : size_in_bytes);
    buffer_pointer->size_in_bytes = buffer_pointer->data == nullptr ? 0 : size_in_bytes;
    return buffer_pointer->data == nullptr ? NOT_OK : OK;
}

void deallocate(buffer *buffer) {
    std::free(buffer->data);
    buffer->data = nullptr;
    buffer->size_in_bytes = 0;
}
