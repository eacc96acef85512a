namespace Mooring.Mqtt.Broker.Statistics;

/// <summary>
/// What went over one connection, or over all. Each field has one writer at a time, so that counting costs no locked instruction
/// on the hot path; a reader may be a moment behind.
/// </summary>
internal struct Traffic
{
    internal long PacketsIn;
    internal long MessagesIn;
    internal long MessagesOut;
    internal long BytesIn;
    internal long BytesOut;
    internal long PayloadIn;
    internal long PayloadOut;

    internal readonly Traffic Since(in Traffic earlier) => new()
    {
        PacketsIn = PacketsIn - earlier.PacketsIn,
        MessagesIn = MessagesIn - earlier.MessagesIn,
        MessagesOut = MessagesOut - earlier.MessagesOut,
        BytesIn = BytesIn - earlier.BytesIn,
        BytesOut = BytesOut - earlier.BytesOut,
        PayloadIn = PayloadIn - earlier.PayloadIn,
        PayloadOut = PayloadOut - earlier.PayloadOut,
    };

    internal void Add(in Traffic other)
    {
        PacketsIn += other.PacketsIn;
        MessagesIn += other.MessagesIn;
        MessagesOut += other.MessagesOut;
        BytesIn += other.BytesIn;
        BytesOut += other.BytesOut;
        PayloadIn += other.PayloadIn;
        PayloadOut += other.PayloadOut;
    }
}
