using System.Text.Json.Serialization;

namespace Mooring.Chat.Api;

/// <summary>Somebody in a room.</summary>
/// <param name="Client">Its id.</param>
/// <param name="Status">Its status in the room.</param>
/// <param name="Transport">What carries it: tcp, websocket or rest.</param>
/// <param name="Address">Where it comes from.</param>
/// <param name="JoinedAt">Since when it is in the room.</param>
/// <param name="Missed">Messages that it missed while it was paused.</param>
internal sealed record MemberLine(string Client, string Status, string Transport, string Address, DateTimeOffset JoinedAt, long Missed);

/// <summary>A room and who is in it.</summary>
internal sealed record RoomView(string Name, string Topic, string CreatedBy, DateTimeOffset CreatedAt, bool Locked, long Last, IReadOnlyList<MemberLine> Members);

/// <summary>A message that is kept.</summary>
internal sealed record RoomMessage(long Number, DateTimeOffset At, string From, string Text);

/// <summary>Messages of a room.</summary>
/// <param name="Messages">The oldest first.</param>
/// <param name="Truncated">Whether some before them are not kept any more.</param>
/// <param name="Last">Number of the room's last message.</param>
internal sealed record RoomMessages(IReadOnlyList<RoomMessage> Messages, bool Truncated, long Last);

/// <summary>One line of the list of rooms.</summary>
internal sealed record RoomLine(string Name, string Topic, int Members, int Paused, bool Locked, long Last);

/// <summary>A room to be opened.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RoomRequest(string? Name);

/// <summary>What may be changed on a room.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RoomChange(string? Topic, bool? Locked);

/// <summary>A message to be sent.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SayRequest(string? From, string? Text);

/// <summary>What became of a message.</summary>
internal sealed record SayAnswer(long Number, int Receivers);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<RoomLine>))]
[JsonSerializable(typeof(RoomView))]
[JsonSerializable(typeof(RoomMessages))]
[JsonSerializable(typeof(RoomRequest))]
[JsonSerializable(typeof(RoomChange))]
[JsonSerializable(typeof(SayRequest))]
[JsonSerializable(typeof(SayAnswer))]
internal sealed partial class ChatOperatorJson : JsonSerializerContext;
