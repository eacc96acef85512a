namespace Mooring.Chat;

/// <summary>A room at one moment.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Topic">What it is about.</param>
/// <param name="Members">How many are in it.</param>
/// <param name="Paused">How many of them are paused.</param>
/// <param name="IsLocked">Nobody may enter.</param>
/// <param name="Messages">Number of its last message.</param>
public readonly record struct ChatRoomGlance(string Name, string Topic, int Members, int Paused, bool IsLocked, long Messages);
