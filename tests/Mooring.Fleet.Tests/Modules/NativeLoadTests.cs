using Mooring.Fleet.Modules.Calls;

namespace Mooring.Fleet.Tests.Modules;

[Collection("native modules")]
[Trait("Peer", "real")]
public sealed class NativeLoadTests : ModuleTest
{
    [Fact]
    public async Task C43_missing_library_isRefusedWithItsPath() =>
        Assert.Equal("module 7: /nowhere/libm.so: no such file", await RefusalAsync(Module(7, "/nowhere/libm.so")));

    [Fact]
    public async Task C45_file_that_is_not_a_library_isRefusedInOneLine()
    {
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, "not a library", TestTimeout);
        var message = await RefusalAsync(Module(7, path));
        File.Delete(path);
        Assert.StartsWith($"module 7: {path} cannot be loaded: ", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.Contains("too short", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task C45_library_without_functions_namesThoseItLacks() =>
        Assert.Equal(
            $"module 7: {NativeLibraries.Lacking} is not a module for the external server: it lacks init, destroy, device_connected, "
            + "device_disconnected, forward_status, forward_error_message, wait_for_command, pop_command, command_ack, deallocate",
            await RefusalAsync(Module(7, NativeLibraries.Lacking)));

    [Fact]
    public async Task C44_other_number_isRefused() =>
        Assert.Equal($"module 8: {NativeLibraries.Faults} says that it is module 7", await RefusalAsync(Module(8, NativeLibraries.Faults)));

    [Fact]
    public async Task C45_null_context_isRefused() =>
        Assert.Equal(
            $"module 7: {NativeLibraries.Faults} refused its configuration (init returned NULL)",
            await RefusalAsync(Module(7, NativeLibraries.Faults, ("init", "null"))));

    [Fact]
    public async Task InitThatHangs_isRefusedAfterItsTime_andDestroyedWhenItReturns()
    {
        Limits = new ModuleLimits { InitMax = TimeSpan.FromMilliseconds(200) };
        Faults.Release(false);
        Assert.Equal(
            $"module 7: {NativeLibraries.Faults} did not start within 0.2 s", await RefusalAsync(Module(7, NativeLibraries.Faults, ("hold", "init"))));
        Faults.Release();
        await UntilAsync(() => Faults.Contexts == 0);
    }

    [Fact]
    public async Task Parameters_areCompanyAndCarThenTheConfiguredInOrder_withTrailingZeros()
    {
        var unterminated = Faults.Unterminated;
        await LoadFaultsAsync(("api_url", "http://ü/"), ("car_name", "other"), ("empty", ""));
        Assert.Equal("company_name=company;car_name=other;api_url=http://ü/;empty=;", Faults.Configuration);
        Assert.Equal(unterminated, Faults.Unterminated);
    }
}
