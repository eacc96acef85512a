// Watches the temperatures of a plant's machines, and raises an alarm for each that is too hot.
// usage: MachineAlarms [BROKER [LIMIT]]
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Mooring.Mqtt;
using Mooring.Mqtt.Client;

var broker = new Uri(args.Length > 0 ? args[0] : "mqtt://127.0.0.1:1883");
var limit = args.Length > 1 ? double.Parse(args[1], CultureInfo.InvariantCulture) : 80;

var stopped = new TaskCompletionSource();
void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stopped.TrySetResult();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

await using var client = new MqttClient(new MqttClientOptions { Server = broker });
await client.StartAsync(CancellationToken.None);
await using var subscription = await client.SubscribeAsync(new MqttSubscription("plant/+/temperature"), async (message, cancellationToken) =>
{
    var machine = message.Topic.Split('/')[1];
    if (!double.TryParse(Encoding.UTF8.GetString(message.Payload.Span), CultureInfo.InvariantCulture, out var degrees) || degrees <= limit) return;
    await client.EnqueueAsync(
        new MqttMessage
        {
            Topic = $"plant/{machine}/alarm",
            Payload = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{degrees} degrees, {limit} allowed")),
            QualityOfService = QualityOfService.AtLeastOnce,
        },
        cancellationToken);
});
Console.WriteLine($"watching {broker}");
await stopped.Task;
await client.StopAsync(drain: TimeSpan.FromSeconds(2));
