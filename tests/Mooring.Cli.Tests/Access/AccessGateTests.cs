using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Mooring.Cli.Access;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Access;

/// <summary>The gate with a clock that the test moves.</summary>
public sealed class AccessGateTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-gate-").FullName;
    private readonly TestClock _clock = new();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        private readonly CancellationTokenSource _aborted = new();

        public CancellationToken RequestAborted
        {
            get => _aborted.Token;
            set => throw new NotSupportedException();
        }

        public void Abort() => _aborted.Cancel();
    }

    [Fact]
    public async Task StreamOfEvents_LastsAsLongAsItsSession_AndKeepsItInUse()
    {
        var limits = AccessLimits.Default;
        var store = Own(await AccessStore.OpenAsync(_folder, limits, _clock, TestTimeout));
        await store.AddAsync("anna", OperatorRole.Viewer, "hash", TestTimeout);
        var secret = await store.BeginSessionAsync("anna", TestTimeout);
        var options = new AccessOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), AsksOnLoopback = true };
        using var audit = new AuditLog(store, limits, _clock, LoggerFactory.CreateLogger<AuditLog>());
        var gate = new AccessGate(options, store, audit, new LoginThrottle(limits, _clock), _clock, LoggerFactory.CreateLogger<AccessGate>());
        var lifetime = new Lifetime();
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
        context.Features.Set(OperatorConnection.Mark);
        context.Request.Method = "GET";
        context.Request.Path = "/api/events";
        context.Request.Host = new HostString("localhost");
        context.Request.Headers.Cookie = $"{AccessGate.SessionCookie}={secret}";

        var streaming = gate.InvokeAsync(context, async inner =>
        {
            Assert.Equal("anna", inner.User.Identity!.Name);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, inner.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        // Longer than a session may be idle: the stream uses it. Each look is waited for before the clock goes on.
        for (var passed = TimeSpan.Zero; passed < limits.SessionIdle * 2; passed += TimeSpan.FromMinutes(30))
        {
            await _clock.WhenTimersAsync(1, TestTimeout);
            _clock.Advance(TimeSpan.FromMinutes(30));
            while (!await WasUsedNowAsync(store)) TestTimeout.ThrowIfCancellationRequested();
        }
        Assert.False(streaming.IsCompleted);
        await store.RemoveAsync("anna", TestTimeout);
        await _clock.WhenTimersAsync(1, TestTimeout);
        _clock.Advance(limits.UseNoted);
        await streaming.WaitAsync(TestTimeout);
        Assert.True(lifetime.RequestAborted.IsCancellationRequested);
    }

    private async Task<bool> WasUsedNowAsync(AccessStore store) => await store.Database.ReadAsync((session, token) => session.NumberAsync(
        "SELECT COUNT(*) FROM access_sessions WHERE used_at = @now", [("now", _clock.GetUtcNow().ToUnixTimeMilliseconds())], token), TestTimeout) == 1;
}
