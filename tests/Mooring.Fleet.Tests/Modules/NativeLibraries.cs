using System.Diagnostics;
using Mooring.Testing;

namespace Mooring.Fleet.Tests.Modules;

/// <summary>The libraries that eng/build-native makes, built when they are older than their sources.</summary>
public sealed class NativeLibraries
{
    public NativeLibraries()
    {
        using var build = Process.Start(new ProcessStartInfo(RepositoryRoot.Combine("eng", "build-native")) { RedirectStandardError = true })!;
        var errors = build.StandardError.ReadToEnd();
        build.WaitForExit();
        Assert.True(build.ExitCode == 0, $"eng/build-native failed: {errors}");
    }

    public static string Sample => RepositoryRoot.Combine("artifacts", "native", "libsample.so");

    public static string Doorbell => RepositoryRoot.Combine("artifacts", "native", "libdoorbell.so");

    public static string Faults => RepositoryRoot.Combine("artifacts", "native", "libfaults.so");

    public static string Lacking => RepositoryRoot.Combine("artifacts", "native", "liblacking.so");
}

/// <summary>Tests that look at the counters of the libraries run one after the other.</summary>
[CollectionDefinition("native modules")]
public sealed class NativeModulesCollection : ICollectionFixture<NativeLibraries>;
