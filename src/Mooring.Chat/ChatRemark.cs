namespace Mooring.Chat;

/// <summary>A message that begins with a slash: somebody wants something of the program that the server is a part of.</summary>
/// <param name="Room">Where it was said.</param>
/// <param name="Client">By whom, as the room reads it.</param>
/// <param name="Account">The same name when a token or a certificate proved it; null when it is only claimed.</param>
/// <param name="Text">What was said.</param>
public sealed record ChatRemark(string Room, string Client, string? Account, string Text);
