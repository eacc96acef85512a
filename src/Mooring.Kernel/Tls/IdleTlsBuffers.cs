using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Mooring.Kernel.Tls;

/// <summary>
/// Has OpenSSL keep no record buffers, about 33 KB, for a connection on which nothing goes on: it gets them anew with the next record, which takes
/// well below a microsecond. <c>SslStream</c> cannot be told (<c>SSL_MODE_RELEASE_BUFFERS</c> of SSL_CTX_set_mode(3)); so OpenSSL is asked to tell of
/// each context that it makes (CRYPTO_get_ex_new_index(3)), and the mode is set there, before the first connection.
/// </summary>
public static unsafe class IdleTlsBuffers
{
    // The numbers of openssl/crypto.h and openssl/ssl.h, which are part of OpenSSL's binary interface.
    private const int ClassOfContexts = 1;
    private const int ControlMode = 33;
    private const int ReleaseBuffers = 0x10;

    private static readonly Lazy<bool> Registered = new(Register);
    private static delegate* unmanaged<nint, int, nint, nint, nint> _control;

    /// <summary>
    /// Releases the buffers of idle connections from now on, in the whole process: those whose server or client certificate is used for the first
    /// time after this call. Without OpenSSL 3 everything stays as it is.
    /// </summary>
    /// <returns>Whether it is done.</returns>
    public static bool Release() => Registered.Value;

    private static bool Register()
    {
        // The same libraries that the framework loads; where it was told to take others, nobody uses these and nothing happens.
        if (!OperatingSystem.IsLinux()
            || !NativeLibrary.TryLoad("libcrypto.so.3", out var crypto) || !NativeLibrary.TryGetExport(crypto, "CRYPTO_get_ex_new_index", out var register)
            || !NativeLibrary.TryLoad("libssl.so.3", out var ssl) || !NativeLibrary.TryGetExport(ssl, "SSL_CTX_ctrl", out var control)) return false;
        _control = (delegate* unmanaged<nint, int, nint, nint, nint>)control;
        var newIndex = (delegate* unmanaged<int, nint, nint, delegate* unmanaged[Cdecl]<nint, nint, nint, int, nint, nint, void>, nint, nint, int>)register;
        return newIndex(ClassOfContexts, 0, 0, &OnContext, 0, 0) >= 0;
    }

    /// <summary>A <c>CRYPTO_EX_new</c>; its first argument is the new context.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnContext(nint context, nint value, nint values, int index, nint number, nint pointer) =>
        _control(context, ControlMode, ReleaseBuffers, 0);
}
