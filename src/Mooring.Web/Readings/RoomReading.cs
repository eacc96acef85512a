namespace Mooring.Web.Readings;

/// <summary>A chat room.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Topic">What it is about.</param>
/// <param name="Members">Who is in it, counted.</param>
/// <param name="Paused">How many of them are paused.</param>
/// <param name="IsLocked">Nobody may enter.</param>
/// <param name="Messages">Messages so far.</param>
public readonly record struct RoomReading(string Name, string Topic, int Members, int Paused, bool IsLocked, long Messages);
