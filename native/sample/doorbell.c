/* A doorbell. Each {"pressed": true} is answered with the command "ding". */
#include "mooring_module.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The context: one for each car. */
struct bell {
    pthread_mutex_t lock; /* wait_for_command runs beside the other calls */
    pthread_cond_t pressed;
    struct buffer role; /* of the device that was pressed */
    int dings;          /* commands that wait to be popped */
};

static int copy(struct buffer *to, const void *from, size_t size) {
    if (allocate(to, size) != OK) return NOT_OK;
    memcpy(to->data, from, size);
    return OK;
}

int get_module_number(void) { return 5; }

int is_device_type_supported(unsigned int device_type) { return device_type == 0 ? OK : NOT_OK; }

void *init(struct config config_data) {
    struct bell *bell = calloc(1, sizeof *bell);
    (void)config_data;
    if (bell == NULL) return NULL;
    pthread_mutex_init(&bell->lock, NULL);
    pthread_cond_init(&bell->pressed, NULL);
    return bell;
}

int destroy(void **context) {
    struct bell *bell = *context;
    deallocate(&bell->role);
    free(bell);
    *context = NULL;
    return OK;
}

int device_connected(const struct device_identification device, void *context) {
    (void)device;
    return context == NULL ? CONTEXT_INCORRECT : OK;
}

int device_disconnected(const int disconnect_type, const struct device_identification device, void *context) {
    (void)disconnect_type;
    (void)device;
    return context == NULL ? CONTEXT_INCORRECT : OK;
}

int forward_status(const struct buffer status, const struct device_identification device, void *context) {
    static const char pressed[] = "{\"pressed\": true}";
    struct bell *bell = context;
    /* A status has a length and may contain zeros: strcmp would be wrong. */
    if (status.size_in_bytes != strlen(pressed) || memcmp(status.data, pressed, strlen(pressed)) != 0) return OK;
    pthread_mutex_lock(&bell->lock);
    deallocate(&bell->role);
    const int code = copy(&bell->role, device.device_role.data, device.device_role.size_in_bytes);
    if (code == OK) bell->dings++;
    pthread_cond_signal(&bell->pressed);
    pthread_mutex_unlock(&bell->lock);
    return code;
}

int forward_error_message(const struct buffer error_msg, const struct device_identification device, void *context) {
    (void)error_msg;
    return device_connected(device, context);
}

int wait_for_command(int timeout_time_in_ms, void *context) {
    struct bell *bell = context;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(timeout_time_in_ms % 1000) * 1000000;
    until.tv_sec += timeout_time_in_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&bell->lock);
    for (int code = 0; bell->dings == 0 && code != ETIMEDOUT;) code = pthread_cond_timedwait(&bell->pressed, &bell->lock, &until);
    const int result = bell->dings > 0 ? OK : TIMEOUT_OCCURRED;
    pthread_mutex_unlock(&bell->lock);
    return result;
}

int pop_command(struct buffer *command, struct device_identification *device, void *context) {
    struct bell *bell = context;
    int left = NOT_OK;
    pthread_mutex_lock(&bell->lock);
    if (bell->dings > 0) {
        device->module = get_module_number();
        /* The server hands each buffer back to deallocate(), also after a negative result. */
        if (copy(&device->device_role, bell->role.data, bell->role.size_in_bytes) == OK && copy(command, "ding", 4) == OK)
            left = --bell->dings;
    }
    pthread_mutex_unlock(&bell->lock);
    return left;
}

int command_ack(const struct buffer command, const struct device_identification device, void *context) {
    (void)command;
    return device_connected(device, context);
}

int allocate(struct buffer *buffer_pointer, const size_t size_in_bytes) {
    buffer_pointer->data = malloc(size_in_bytes == 0 ? 1 : size_in_bytes);
    buffer_pointer->size_in_bytes = buffer_pointer->data == NULL ? 0 : size_in_bytes;
    return buffer_pointer->data == NULL ? NOT_OK : OK;
}

void deallocate(struct buffer *buffer) {
    free(buffer->data);
    buffer->data = NULL;
    buffer->size_in_bytes = 0;
}
