using System.Runtime.InteropServices;
using Mooring.Kernel.Tls;

namespace Mooring.Kernel.Tests.Tls;

public sealed partial class IdleTlsBuffersTests
{
    private const int ControlMode = 33;
    private const int ReleaseBuffers = 0x10;

    [Fact]
    public void ContextsMadeAfterwards_ReleaseTheBuffersOfIdleConnections()
    {
        Assert.True(IdleTlsBuffers.Release());
        Assert.True(IdleTlsBuffers.Release());
        var context = NewContext(MethodOfTls());
        Assert.NotEqual(0, context);
        Assert.Equal(ReleaseBuffers, Control(context, ControlMode, 0, 0) & ReleaseBuffers);
        Free(context);
    }

    [LibraryImport("libssl.so.3", EntryPoint = "TLS_method")]
    private static partial nint MethodOfTls();

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_CTX_new")]
    private static partial nint NewContext(nint method);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_CTX_ctrl")]
    private static partial nint Control(nint context, int command, nint number, nint pointer);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_CTX_free")]
    private static partial void Free(nint context);
}
