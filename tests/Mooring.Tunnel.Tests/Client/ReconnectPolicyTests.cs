using Mooring.Tunnel.Client;

namespace Mooring.Tunnel.Tests.Client;

public sealed class ReconnectPolicyTests
{
    [Fact]
    public void Waits_Double_UpToAMinute() => Assert.Equal(
        [1, 2, 4, 8, 16, 32, 60, 60],
        Enumerable.Range(1, 8).Select(failures => (int)ReconnectPolicy.Next(TunnelOutcome.Unreachable, failures, 0, 0.5)!.Value.TotalSeconds));

    [Fact]
    public void Item78_Jitter_NeverExceedsTheCap() => Assert.All(
        Enumerable.Range(1, 1000), failures => Assert.InRange(ReconnectPolicy.Next(TunnelOutcome.Unreachable, failures, 0, 1)!.Value, TimeSpan.FromSeconds(1.5), ReconnectPolicy.Cap));

    [Fact]
    public void Gateway_IsAskedAgainSoon() =>
        Assert.Equal(ReconnectPolicy.GatewayCap, ReconnectPolicy.Next(TunnelOutcome.Gateway, 50, 0, 1));

    [Theory]
    [InlineData(TunnelOutcome.Terminal)]
    [InlineData(TunnelOutcome.Invalid)]
    public void TerminalFailure_GivesUp(TunnelOutcome outcome) => Assert.Null(ReconnectPolicy.Next(outcome, 1, 0, 0));

    [Fact]
    public void SeventhRefusal_GivesUp_AndTransientOnesNever()
    {
        Assert.NotNull(ReconnectPolicy.Next(TunnelOutcome.Refused, 6, 6, 0));
        Assert.Null(ReconnectPolicy.Next(TunnelOutcome.Refused, 7, 7, 0));
        Assert.NotNull(ReconnectPolicy.Next(TunnelOutcome.Transient, 1000, 0, 0));
    }

    [Fact]
    public void Item78_NoCode_IsBothTerminalAndTransient()
    {
        string[] terminal = ["UNAUTHORIZED", "AUTH_REQUIRED", "SUBDOMAIN_UNAVAILABLE", "PATH_TAKEN", "PATH_LIMIT", "TCP_DISABLED", "HOSTNAME_NOT_REGISTERED", "HOSTNAME_NOT_VERIFIED", "HOSTNAME_TAKEN", "HOSTNAME_IGNORED"];
        Assert.All(terminal, code => Assert.Equal(TunnelOutcome.Terminal, ClientReply.OutcomeOf(code)));
        Assert.All(["INVALID_PATH", "INVALID_HOSTNAME", "UNSUPPORTED_PROTOCOL"], code => Assert.Equal(TunnelOutcome.Invalid, ClientReply.OutcomeOf(code)));
        Assert.All(["SERVICE_UNAVAILABLE", "POOL_EXHAUSTED", "TUNNEL_CREATE_FAILED", "HOSTNAME_NO_CERTIFICATE"], code => Assert.Equal(TunnelOutcome.Transient, ClientReply.OutcomeOf(code)));
        Assert.Equal(TunnelOutcome.Refused, ClientReply.OutcomeOf("SUBDOMAIN_TAKEN"));
    }

    [Fact]
    public void Item80_TenClientsOfOneAddress_StayWithinAGatewaysSixtyConnectionsAMinute()
    {
        var random = new Random(1);
        var perMinute = new int[10];
        for (var client = 0; client < 10; client++)
        {
            var at = TimeSpan.Zero;
            for (var failures = 1; at < TimeSpan.FromMinutes(10); failures++)
            {
                at += ReconnectPolicy.Next(TunnelOutcome.Gateway, failures, 0, random.NextDouble())!.Value;
                if (at < TimeSpan.FromMinutes(10)) perMinute[(int)at.TotalMinutes]++;
            }
        }
        // The first minute has the quick attempts of the beginning.
        Assert.All(perMinute[1..], connections => Assert.InRange(connections, 1, 60));
        Assert.InRange(perMinute[0], 1, 100);
    }
}
