/* Not a module: a library with some of the functions. */
int get_module_number(void) { return 7; }
int is_device_type_supported(unsigned int device_type) { return (int)device_type; }
