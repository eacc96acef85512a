/*
 * A module for tests: does what its configuration tells it to do wrong, and counts what the server does.
 *
 *   init=null              refuses the configuration
 *   CALL=CODE              that call returns CODE: connected, disconnected, status, error, ack, wait, pop, destroy
 *   hold=CALL              that call blocks until faults_release(): status, wait, pop, init
 *   pop_empty=1            pop_command returns 0 and fills nothing in
 *   wait_now=1             wait_for_command never waits, as with an empty time-out
 *
 * Every status comes back as a command with the same bytes. The module number is 7.
 */
#include "mooring_module.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COMMANDS_MAX = 4096, TEXT_MAX = 256, CONFIG_MAX = 4096 };

struct command {
    unsigned int type;
    size_t role_size, name_size, data_size;
    char role[TEXT_MAX], name[TEXT_MAX];
    char *data;
};

struct context {
    int connected, disconnected, status, error, ack, wait, pop, destroy;
    int pop_empty, wait_now;
    char hold[TEXT_MAX];
    pthread_mutex_t mutex;
    pthread_cond_t ready;
    struct command commands[COMMANDS_MAX];
    int first, count;
    atomic_int inside;
};

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static int is_open;
static char last_config[CONFIG_MAX];
static atomic_int allocated, freed, contexts, overlaps, unterminated, held, polls, acks;

/* --- what tests ask ----------------------------------------------------------------------------------------- */

int faults_allocated(void) { return allocated; }
int faults_freed(void) { return freed; }
int faults_contexts(void) { return contexts; }
int faults_overlaps(void) { return overlaps; }
int faults_unterminated(void) { return unterminated; }
int faults_held(void) { return held; }
int faults_polls(void) { return polls; }
int faults_acks(void) { return acks; }
const char *faults_config(void) { return last_config; }

void faults_release(int open) {
    pthread_mutex_lock(&gate);
    is_open = open;
    pthread_cond_broadcast(&opened);
    pthread_mutex_unlock(&gate);
}

/* --- parts -------------------------------------------------------------------------------------------------- */

static void hold(struct context *c, const char *call) {
    if (strcmp(c->hold, call) != 0) return;
    pthread_mutex_lock(&gate);
    held++;
    while (!is_open) pthread_cond_wait(&opened, &gate);
    held--;
    pthread_mutex_unlock(&gate);
}

static void enter(struct context *c) {
    if (atomic_fetch_add(&c->inside, 1) != 0) overlaps++;
}

static int leave(struct context *c, int code) {
    atomic_fetch_sub(&c->inside, 1);
    return code;
}

static void check(struct buffer text) {
    if (((const char *)text.data)[text.size_in_bytes] != '\0') unterminated++;
}

static void check_device(struct device_identification device) {
    check(device.device_role);
    check(device.device_name);
}

static int give(struct buffer *to, const char *from, size_t size) {
    if (allocate(to, size) != OK) return NOT_OK;
    memcpy(to->data, from, size);
    return OK;
}

static void set(struct context *c, const char *key, const char *value) {
    const int number = atoi(value);
    if (strcmp(key, "connected") == 0) c->connected = number;
    else if (strcmp(key, "disconnected") == 0) c->disconnected = number;
    else if (strcmp(key, "status") == 0) c->status = number;
    else if (strcmp(key, "error") == 0) c->error = number;
    else if (strcmp(key, "ack") == 0) c->ack = number;
    else if (strcmp(key, "wait") == 0) c->wait = number;
    else if (strcmp(key, "pop") == 0) c->pop = number;
    else if (strcmp(key, "destroy") == 0) c->destroy = number;
    else if (strcmp(key, "pop_empty") == 0) c->pop_empty = number;
    else if (strcmp(key, "wait_now") == 0) c->wait_now = number;
    else if (strcmp(key, "hold") == 0) snprintf(c->hold, sizeof c->hold, "%s", value);
}

/* --- what the server calls ---------------------------------------------------------------------------------- */

int get_module_number(void) { return 7; }

int is_device_type_supported(unsigned int device_type) { return device_type < 10 ? OK : NOT_OK; }

void *init(struct config config_data) {
    struct context *c = calloc(1, sizeof *c);
    size_t used = 0;
    last_config[0] = '\0';
    for (size_t i = 0; i < config_data.size; i++) {
        const struct key_value entry = config_data.parameters[i];
        check(entry.key);
        check(entry.value);
        used += (size_t)snprintf(last_config + used, sizeof last_config - used, "%s=%s;", (const char *)entry.key.data, (const char *)entry.value.data);
        if (strcmp(entry.key.data, "init") == 0 && strcmp(entry.value.data, "null") == 0) {
            free(c);
            return NULL;
        }
        set(c, entry.key.data, entry.value.data);
    }
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->ready, NULL);
    contexts++;
    hold(c, "init");
    return c;
}

int destroy(void **context) {
    struct context *c = *context;
    enter(c);
    const int code = leave(c, c->destroy);
    for (; c->count > 0; c->count--, c->first = (c->first + 1) % COMMANDS_MAX) free(c->commands[c->first].data);
    contexts--;
    free(c);
    *context = NULL;
    return code;
}

int device_connected(const struct device_identification device, void *context) {
    struct context *c = context;
    enter(c);
    check_device(device);
    return leave(c, c->connected);
}

int device_disconnected(const int disconnect_type, const struct device_identification device, void *context) {
    struct context *c = context;
    enter(c);
    check_device(device);
    if (disconnect_type != DISCONNECT_ANNOUNCED && disconnect_type != DISCONNECT_TIMEOUT) unterminated++;
    return leave(c, c->disconnected);
}

int forward_status(const struct buffer device_status, const struct device_identification device, void *context) {
    struct context *c = context;
    enter(c);
    check(device_status);
    check_device(device);
    hold(c, "status");
    pthread_mutex_lock(&c->mutex);
    if (c->count < COMMANDS_MAX && device.device_role.size_in_bytes < TEXT_MAX && device.device_name.size_in_bytes < TEXT_MAX) {
        struct command *next = &c->commands[(c->first + c->count++) % COMMANDS_MAX];
        next->type = device.device_type;
        next->role_size = device.device_role.size_in_bytes;
        next->name_size = device.device_name.size_in_bytes;
        next->data_size = device_status.size_in_bytes;
        memcpy(next->role, device.device_role.data, next->role_size);
        memcpy(next->name, device.device_name.data, next->name_size);
        next->data = malloc(next->data_size + 1);
        memcpy(next->data, device_status.data, next->data_size);
    }
    pthread_cond_signal(&c->ready);
    pthread_mutex_unlock(&c->mutex);
    return leave(c, c->status);
}

int forward_error_message(const struct buffer error_msg, const struct device_identification device, void *context) {
    struct context *c = context;
    enter(c);
    check(error_msg);
    check_device(device);
    return leave(c, c->error);
}

int wait_for_command(int timeout_time_in_ms, void *context) {
    struct context *c = context;
    polls++;
    hold(c, "wait");
    if (c->wait != OK) return c->wait;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_time_in_ms / 1000;
    until.tv_nsec += (timeout_time_in_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&c->mutex);
    int left = c->wait_now;
    while (c->count == 0 && !c->pop_empty && !left) left = pthread_cond_timedwait(&c->ready, &c->mutex, &until) == ETIMEDOUT;
    const int found = c->count > 0 || c->pop_empty;
    pthread_mutex_unlock(&c->mutex);
    return found ? OK : TIMEOUT_OCCURRED;
}

int pop_command(struct buffer *command, struct device_identification *device, void *context) {
    struct context *c = context;
    enter(c);
    hold(c, "pop");
    if (command->data != NULL || device->device_role.data != NULL || device->device_name.data != NULL) unterminated++;
    if (c->pop_empty) return leave(c, 0);
    pthread_mutex_lock(&c->mutex);
    if (c->count == 0) {
        pthread_mutex_unlock(&c->mutex);
        return leave(c, 0);
    }
    struct command *next = &c->commands[c->first];
    c->first = (c->first + 1) % COMMANDS_MAX;
    const int count = --c->count;
    device->module = 7;
    device->device_type = next->type;
    give(&device->device_role, next->role, next->role_size);
    give(&device->device_name, next->name, next->name_size);
    give(command, next->data, next->data_size);
    free(next->data);
    pthread_mutex_unlock(&c->mutex);
    return leave(c, c->pop != OK ? c->pop : count);
}

int command_ack(const struct buffer command, const struct device_identification device, void *context) {
    struct context *c = context;
    enter(c);
    check(command);
    check_device(device);
    acks++;
    return leave(c, c->ack);
}

int allocate(struct buffer *buffer_pointer, const size_t size_in_bytes) {
    /* No zero behind the last byte: a server that reads on is found by its own memory checker or by garbage. */
    buffer_pointer->data = malloc(size_in_bytes == 0 ? 1 : size_in_bytes);
    buffer_pointer->size_in_bytes = size_in_bytes;
    allocated++;
    return OK;
}

void deallocate(struct buffer *buffer) {
    if (buffer->data != NULL) freed++;
    free(buffer->data);
    buffer->data = NULL;
    buffer->size_in_bytes = 0;
}
