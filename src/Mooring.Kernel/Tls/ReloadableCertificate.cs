using System.Net.Security;
using Microsoft.Extensions.Logging;

namespace Mooring.Kernel.Tls;

/// <summary>
/// Certificates that are renewed without a restart: new connections get what the files say now, open ones stay as they are.
/// A bad file changes nothing and is told once.
/// </summary>
public sealed partial class ReloadableCertificate : IDisposable
{
    /// <summary>How often the files are looked at: a renewal is seen soon, and reading three small files costs nothing.</summary>
    public static readonly TimeSpan DefaultPeriod = TimeSpan.FromSeconds(10);

    private readonly TlsFiles _files;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _reloading = new();
    private TlsFileContents _seen;
    private string? _lastFailure;
    private volatile TlsMaterial _current;
    private ITimer? _timer;

    /// <summary>Loads the files.</summary>
    /// <param name="files">Where they are.</param>
    /// <param name="time">Clock for their dates and for looking again.</param>
    /// <param name="logger">Told about warnings and reloads.</param>
    /// <exception cref="TlsMaterialException">They cannot be used.</exception>
    public ReloadableCertificate(TlsFiles files, TimeProvider time, ILogger logger)
    {
        _files = files;
        _time = time;
        _logger = logger;
        _seen = PemFiles.Read(files);
        _current = PemFiles.Parse(files, _seen, time.GetUtcNow());
        Warn(_current);
    }

    /// <summary>What new connections use.</summary>
    public TlsMaterial Current => _current;

    /// <summary>Looks at the files from now on.</summary>
    /// <param name="period">How often; null for <see cref="DefaultPeriod"/>.</param>
    /// <returns>This object.</returns>
    public ReloadableCertificate Watch(TimeSpan? period = null)
    {
        var wait = period ?? DefaultPeriod;
        _timer ??= _time.CreateTimer(_ => ReloadIfChanged(), null, wait, wait);
        return this;
    }

    /// <summary>Looks at the files once.</summary>
    /// <returns>What came of it.</returns>
    public ReloadResult ReloadIfChanged()
    {
        lock (_reloading)
        {
            try
            {
                // By content, not by date: a renewal through links changes no date, and one in two steps (certificate, then
                // key) is a mismatch at first and good at the next look.
                var contents = PemFiles.Read(_files);
                if (contents == _seen) return Recovered();
                var material = PemFiles.Parse(_files, contents, _time.GetUtcNow());
                _seen = contents;
                _current = material;
            }
            catch (TlsMaterialException e)
            {
                if (_lastFailure != e.Message) LogFailed(_logger, e.Message);
                _lastFailure = e.Message;
                return ReloadResult.Failed;
            }
            _lastFailure = null;
            LogReloaded(_logger, _current.Certificate?.Subject ?? "", _current.Certificate?.NotAfter.ToUniversalTime());
            Warn(_current);
            return ReloadResult.Reloaded;
        }
    }

    /// <summary>Options for one new connection of a server.</summary>
    /// <param name="clients">What is wanted of the clients.</param>
    /// <returns>The options.</returns>
    public SslServerAuthenticationOptions ServerOptions(ClientCertificates clients = ClientCertificates.NotAsked) =>
        _current.ServerOptions(clients);

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    private ReloadResult Recovered()
    {
        _lastFailure = null;
        return ReloadResult.Unchanged;
    }

    private void Warn(TlsMaterial material)
    {
        foreach (var warning in material.Warnings) LogWarning(_logger, warning);
    }

    [LoggerMessage(1100, LogLevel.Warning, "TLS: {Warning}")]
    private static partial void LogWarning(ILogger logger, string warning);

    [LoggerMessage(1101, LogLevel.Information, "TLS: certificate {Subject} reloaded, valid until {NotAfter}")]
    private static partial void LogReloaded(ILogger logger, string subject, DateTime? notAfter);

    [LoggerMessage(1102, LogLevel.Warning, "TLS: the changed files are not used: {Why}")]
    private static partial void LogFailed(ILogger logger, string why);
}
