using Mooring.Cli.Access;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Access;

public sealed class AccessStoreTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-access-").FullName;
    private readonly TestClock _clock = new();
    private readonly AccessLimits _limits = new();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private async Task<AccessStore> OpenAsync() => Own(await AccessStore.OpenAsync(_folder, _limits, _clock, TestTimeout));

    [Fact]
    public async Task Session_EndsWhenIdle_AndAfterItsLifetime_AndWithItsAccount()
    {
        var store = await OpenAsync();
        Assert.True(await store.AddAsync("anna", OperatorRole.Operator, "hash", TestTimeout));
        Assert.False(await store.AddAsync("anna", OperatorRole.Admin, null, TestTimeout));
        var used = await store.BeginSessionAsync("anna", TestTimeout);
        var idle = await store.BeginSessionAsync("anna", TestTimeout);
        Assert.Equal(new OperatorIdentity("anna", OperatorRole.Operator, "session"), await store.BySessionAsync(used, TestTimeout));
        Assert.Null(await store.BySessionAsync(used + "x", TestTimeout));
        for (var passed = TimeSpan.Zero; passed < _limits.SessionLifetime - TimeSpan.FromMinutes(45); passed += TimeSpan.FromMinutes(45))
        {
            _clock.Advance(TimeSpan.FromMinutes(45));
            Assert.NotNull(await store.BySessionAsync(used, TestTimeout));
        }
        Assert.Null(await store.BySessionAsync(idle, TestTimeout));
        _clock.Advance(TimeSpan.FromMinutes(45));
        Assert.Null(await store.BySessionAsync(used, TestTimeout));
        var last = await store.BeginSessionAsync("anna", TestTimeout);
        await store.SetRoleAsync("anna", OperatorRole.Viewer, TestTimeout);
        Assert.Equal(OperatorRole.Viewer, (await store.BySessionAsync(last, TestTimeout))!.Role);
        await store.SetPasswordAsync("anna", "other", TestTimeout);
        Assert.Null(await store.BySessionAsync(last, TestTimeout));
        last = await store.BeginSessionAsync("anna", TestTimeout);
        Assert.True(await store.RemoveAsync("anna", TestTimeout));
        Assert.Null(await store.BySessionAsync(last, TestTimeout));
    }

    [Fact]
    public async Task Sessions_OutliveTheProcess_AndAreBounded()
    {
        var store = await OpenAsync();
        await store.AddAsync("anna", OperatorRole.Viewer, "hash", TestTimeout);
        var first = await store.BeginSessionAsync("anna", TestTimeout);
        _clock.Advance(TimeSpan.FromSeconds(1));
        var second = await store.BeginSessionAsync("anna", TestTimeout);
        var again = await OpenAsync();
        Assert.NotNull(await again.BySessionAsync(first, TestTimeout));
        for (var i = 0; i < _limits.SessionsPerAccount - 1; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await again.BeginSessionAsync("anna", TestTimeout);
        }
        Assert.Null(await again.BySessionAsync(first, TestTimeout));
        Assert.NotNull(await again.BySessionAsync(second, TestTimeout));
    }

    [Fact]
    public async Task Token_EndsInTime_IsReplacedByLabel_AndNoSecretIsStored()
    {
        var store = await OpenAsync();
        Assert.Null(await store.AddTokenAsync("nobody", "x", null, TestTimeout));
        await store.AddAsync("ci", OperatorRole.Operator, null, TestTimeout);
        var old = (await store.AddTokenAsync("ci", "x", null, TestTimeout))!;
        var token = (await store.AddTokenAsync("ci", "x", TimeSpan.FromDays(1), TestTimeout))!;
        Assert.StartsWith(AccessSecret.TokenPrefix, token, StringComparison.Ordinal);
        Assert.Null(await store.ByTokenAsync(old, TestTimeout));
        Assert.Equal(new OperatorIdentity("ci", OperatorRole.Operator, "token"), await store.ByTokenAsync(token, TestTimeout));
        Assert.NotNull(Assert.Single(Assert.Single(await store.AccountsAsync(TestTimeout)).Tokens).UsedAt);
        _clock.Advance(TimeSpan.FromDays(1));
        Assert.Null(await store.ByTokenAsync(token, TestTimeout));
        Assert.All(Directory.EnumerateFiles(_folder), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        await store.DisposeAsync();
        foreach (var file in Directory.EnumerateFiles(_folder))
            Assert.DoesNotContain(token[AccessSecret.TokenPrefix.Length..], System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, TestTimeout)), StringComparison.Ordinal);
    }
}
