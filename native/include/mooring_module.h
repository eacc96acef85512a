/*
 * The interface between the external server and a module library.
 *
 * A module is a shared library that understands what the devices of one feature area say. The server carries
 * statuses to it and commands from it, and understands neither. This header declares everything that the server
 * calls; a library must export all of it as plain C symbols.
 *
 * Contexts. init() is called once for each car and returns a context that is handed back in every other call.
 * The server never makes two calls with one context at the same time, except wait_for_command(), which blocks
 * and therefore runs beside the others on a thread of its own. Calls with different contexts run in parallel.
 *
 * Memory. What the server passes is the server's and is valid until the call returns: copy what you keep. Texts
 * are UTF-8 and have a length; a zero byte follows the last one but does not count. What pop_command() fills in
 * is the module's: the server copies it and hands each buffer to the module's own deallocate().
 */
#ifndef MOORING_MODULE_H
#define MOORING_MODULE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- return codes ------------------------------------------------------------------------------------------- */

enum {
    OK = 0,
    NOT_OK = -1,
    /* -2 to -10 are reserved for codes that both kinds of module libraries share. */
    CONTEXT_INCORRECT = -11,
    TIMEOUT_OCCURRED = -12
};

/* Why a device is gone. */
enum {
    DISCONNECT_ANNOUNCED = 0, /* the device said so, or its car did */
    DISCONNECT_TIMEOUT = 1,   /* the session with the car ended */
    DISCONNECT_ERROR = 2      /* never sent by this server */
};

/* --- structures --------------------------------------------------------------------------------------------- */

/* Bytes that may contain zeros. */
struct buffer {
    void *data;
    size_t size_in_bytes;
};

/* A device of a car. Module, type and role make it what it is; name is for people. Priority is always 0 here. */
struct device_identification {
    int module;
    unsigned int device_type;
    struct buffer device_role;
    struct buffer device_name;
    unsigned int priority;
};

struct key_value {
    struct buffer key;
    struct buffer value;
};

/* company_name, car_name, then the entries of the module's "config" in the order of the file, all as text. */
struct config {
    struct key_value *parameters;
    size_t size; /* number of entries */
};

/* --- what a library exports --------------------------------------------------------------------------------- */

/* The number under which the module is configured. */
int get_module_number(void);

/* OK or NOT_OK. Asked once for each type; the answer must not change while the process lives. */
int is_device_type_supported(unsigned int device_type);

/* Returns the context of a car, or NULL when the configuration cannot be used. */
void *init(struct config config_data);

/* Frees the context and sets it to NULL. No other call with this context runs or follows. */
int destroy(void **context);

/* Anything but OK refuses the device. */
int device_connected(const struct device_identification device, void *context);

int device_disconnected(const int disconnect_type, const struct device_identification device, void *context);

int forward_status(const struct buffer device_status, const struct device_identification device, void *context);

/* What went wrong on the car while it had no connection, in a form that only modules know. */
int forward_error_message(const struct buffer error_msg, const struct device_identification device, void *context);

/*
 * Blocks until a command can be popped (OK) or the time is over (TIMEOUT_OCCURRED). With many cars the server asks
 * with a time-out of 0: return at once then.
 */
int wait_for_command(int timeout_time_in_ms, void *context);

/*
 * Gives the oldest command. Returns how many are left after it, or a negative code. The server calls again while
 * the result is above 0. An empty role without data means "there was none".
 */
int pop_command(struct buffer *command, struct device_identification *device, void *context);

/* The car confirmed that the command reached the device. */
int command_ack(const struct buffer command, const struct device_identification device, void *context);

/* Gets memory that deallocate() can free. The server does not call it. */
int allocate(struct buffer *buffer_pointer, const size_t size_in_bytes);

/* Frees what pop_command() gave, and sets data to NULL and the size to 0. data may already be NULL. */
void deallocate(struct buffer *buffer);

#ifdef __cplusplus
}
#endif

#endif
