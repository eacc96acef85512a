using System.Globalization;
using System.Security.Cryptography;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>Ids of sessions: sess-SECONDS-RANDOM, from an alphabet without 0, 1 and l.</summary>
internal static class SessionIds
{
    private const string Alphabet = "abcdefghijkmnopqrstuvwxyz23456789";

    public static string Next(TimeProvider time) =>
        string.Create(CultureInfo.InvariantCulture, $"sess-{time.GetUtcNow().ToUnixTimeSeconds()}-{RandomNumberGenerator.GetString(Alphabet, 16)}");
}
