using Mooring.Kernel.Tls;

namespace Mooring.Chat.Tests;

/// <summary>A certificate authority for one test, in a folder of its own.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("chat-ca-").FullName;
    private readonly DevelopmentAuthority _authority;

    internal TestAuthority()
    {
        _authority = DevelopmentAuthority.LoadOrCreate(_folder, TimeProvider.System);
        Server = _authority.Server();
    }

    internal TlsFiles Server { get; }

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
