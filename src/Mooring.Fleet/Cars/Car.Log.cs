using Microsoft.Extensions.Logging;
using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.Cars;

internal sealed partial class Car
{
    [LoggerMessage(4000, LogLevel.Debug, "Car {Car}: {From} -> {To}")]
    private static partial void LogMoved(ILogger logger, string car, CarState from, CarState to);

    [LoggerMessage(4001, LogLevel.Information, "Car {Car}: session {Session} runs with {Devices} device(s)")]
    private static partial void LogRunning(ILogger logger, string car, string session, int devices);

    [LoggerMessage(EventId = 4002, Message = "Car {Car}: session {Session} ended: {Reason}")]
    private static partial void LogEnded(ILogger logger, LogLevel level, string car, string session, string reason);

    [LoggerMessage(4003, LogLevel.Error, "Car {Car}: a fault in handling ended the session")]
    private static partial void LogFault(ILogger logger, string car, Exception exception);

    [LoggerMessage(4004, LogLevel.Error, "Car {Car}: a message was refused ({Count} so far): {Reason}")]
    private static partial void LogRefused(ILogger logger, string car, string reason, long count);

    [LoggerMessage(4005, LogLevel.Warning, "Car {Car}: messages come faster than they are handled; {Count} dropped so far")]
    private static partial void LogMailboxFull(ILogger logger, string car, long count);

    [LoggerMessage(4006, LogLevel.Warning, "Car {Car}: a message without content was ignored")]
    private static partial void LogEmpty(ILogger logger, string car);

    [LoggerMessage(4007, LogLevel.Information, "Car {Car}: a message of session '{Session}' was ignored")]
    private static partial void LogForeign(ILogger logger, string car, string session);

    [LoggerMessage(4008, LogLevel.Warning, "Car {Car}: no module takes device {Device}")]
    private static partial void LogUnsupported(ILogger logger, string car, string device);

    [LoggerMessage(4009, LogLevel.Warning, "Car {Car}: device {Device} has an empty role and is not connected")]
    private static partial void LogEmptyRole(ILogger logger, string car, string device);

    [LoggerMessage(4010, LogLevel.Warning, "Car {Car}: the module did not take device {Device}")]
    private static partial void LogNotTaken(ILogger logger, string car, string device);

    [LoggerMessage(4011, LogLevel.Information, "Car {Car}: status {State} of device {Device} does not fit its state")]
    private static partial void LogStateMismatch(ILogger logger, string car, string device, Status.Types.DeviceState state);

    [LoggerMessage(4012, LogLevel.Warning, "Car {Car}: module {Module} gave a command for device {Device}")]
    private static partial void LogWrongModule(ILogger logger, string car, string device, int module);

    [LoggerMessage(4013, LogLevel.Warning, "Car {Car}: command for device {Device}, which is not connected")]
    private static partial void LogCommandWithoutDevice(ILogger logger, string car, string device);

    [LoggerMessage(4014, LogLevel.Warning, "Car {Car}: command for device {Device} is empty")]
    private static partial void LogEmptyCommand(ILogger logger, string car, string device);

    [LoggerMessage(4015, LogLevel.Information, "Car {Car}: nothing waits for a response to command {Counter}")]
    private static partial void LogUnknownResponse(ILogger logger, string car, uint counter);

    [LoggerMessage(4016, LogLevel.Warning, "Car {Car}: the command for device {Device} was not delivered: {Type}")]
    private static partial void LogNotDelivered(ILogger logger, string car, string device, CommandResponse.Types.Type type);

    [LoggerMessage(4017, LogLevel.Warning, "Car {Car}: a command for device {Device} was dropped ({Count} not delivered so far)")]
    private static partial void LogDropped(ILogger logger, string car, string device, long count);

    [LoggerMessage(4018, LogLevel.Warning, "Car {Car}: Connect of session '{Session}' was refused: {Reason}")]
    private static partial void LogConnectRefused(ILogger logger, string car, string session, string reason);

    [LoggerMessage(4019, LogLevel.Warning, "Car {Car}: its gateway calls itself {Company}/{Vehicle}")]
    private static partial void LogOtherName(ILogger logger, string car, string company, string vehicle);

    [LoggerMessage(4020, LogLevel.Warning, "Car {Car}: device {Device} is one more than the {Max} that a car may have")]
    private static partial void LogTooManyDevices(ILogger logger, string car, string device, int max);
}
