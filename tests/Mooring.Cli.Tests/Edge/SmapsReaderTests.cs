using System.Text;
using Mooring.Cli.Hosting;

namespace Mooring.Cli.Tests.Edge;

public sealed class SmapsReaderTests
{
    [Fact]
    public void UnchangedReadOnlyPagesOfFiles_AreFound()
    {
        var found = Read("""
            12860000-133ac000 r-xp 00000000 fe:00 350922                     /usr/share/dotnet/System.Private.CoreLib.dll
            Size:              11568 kB
            Rss:                6856 kB
            Anonymous:             0 kB
            VmFlags: rd ex mr mw me
            133ac000-133ad000 r--s 00001000 fe:00 350922                     /opt/a folder/Mooring.Edge.dll
            Rss:                   4 kB
            Anonymous:             0 kB
            VmFlags: rd mr
            """);
        Assert.Equal([((nuint)0x12860000, (nuint)0x133ac000), (0x133ac000u, 0x133ad000u)], found);
    }

    [Theory]
    [InlineData("rw-p", "/usr/share/dotnet/System.Private.CoreLib.dll", 8, 0)]
    [InlineData("r-xp", "/usr/share/dotnet/System.Private.CoreLib.dll", 8, 4)]
    [InlineData("r--p", "/usr/share/dotnet/System.Private.CoreLib.dll", 0, 0)]
    [InlineData("r-xs", "/memfd:doublemapper (deleted)", 8, 0)]
    [InlineData("r--p", "", 8, 0)]
    [InlineData("r-xp", "[vdso]", 8, 0)]
    public void PagesThatHaveNoOtherPlace_OrAreNotThere_AreLeftAlone(string permissions, string path, int resident, int changed) =>
        Assert.Empty(Read($"""
            7f0e3bc00000-7f0e3c301000 {permissions} 00000000 00:00 0 {path}
            Rss:                {resident} kB
            Anonymous:          {changed} kB
            VmFlags: rd mr mw me
            """));

    [Fact]
    public void ItsOwnPages_AreGivenBack_AndComeAgainWhenTheyAreWanted()
    {
        using var spare = new SpareMemory(collectsGarbage: true, TimeProvider.System);
        Assert.Equal(0, spare.Release());
        Assert.True(spare.Release() > 0);
        // Regular expressions, a lot of code that is not needed for the above.
        Assert.Matches("^a+b$", "aab");
    }

    private static List<(nuint Start, nuint End)> Read(string smaps)
    {
        var found = new List<(nuint, nuint)>();
        var reader = new SmapsReader(found);
        foreach (var line in smaps.Split('\n')) reader.Add(Encoding.UTF8.GetBytes(line));
        return found;
    }
}
