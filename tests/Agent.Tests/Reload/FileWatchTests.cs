using FailoverHub.Agent.Reload;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Agent.Tests.Reload;

/// <summary>Who tells of a changed file, in each way in which files are changed.</summary>
public sealed class FileWatchTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Signal<int> _rings = new();

    private string FileName => _directory.At("agent.json");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task WrittenReplacedDeletedCreated_EachIsTold()
    {
        File.WriteAllText(FileName, "1");
        using var watch = Watch(FileName);

        await RingsAsync(() => File.AppendAllText(FileName, "2"));
        await RingsAsync(() =>
        {
            File.WriteAllText(_directory.At("agent.json.new"), "3");
            File.Move(_directory.At("agent.json.new"), FileName, overwrite: true);
        });
        await RingsAsync(() => File.Move(FileName, _directory.At("agent.json~")));
        await RingsAsync(() => File.WriteAllText(FileName, "4"));
        await RingsAsync(() => File.Delete(FileName));
    }

    [Fact]
    public async Task OtherFilesOfTheDirectory_AreNotTold_AlsoWhileTheFileIsNotThere()
    {
        using var watch = Watch(FileName);

        for (var i = 0; i < 10; i++)
        {
            File.WriteAllText(_directory.At($"other-{i}"), "1");
        }

        // In order: those would have been told before this, which is told a few times.
        await RingsAsync(() => File.WriteAllText(FileName, "1"));
        Assert.InRange(_rings.Seen.Count, 1, 9);
    }

    [Fact]
    public async Task VolumeThatIsTurnedOver_IsTold()
    {
        // As Kubernetes mounts a ConfigMap: the file is a link into a link to a directory, and only that one is replaced.
        Directory.CreateDirectory(_directory.At("v1"));
        Directory.CreateDirectory(_directory.At("v2"));
        File.WriteAllText(_directory.At("v1/agent.json"), "1");
        File.WriteAllText(_directory.At("v2/agent.json"), "2");
        Directory.CreateSymbolicLink(_directory.At("data"), "v1");
        File.CreateSymbolicLink(FileName, "data/agent.json");
        using var watch = Watch(FileName);

        await RingsAsync(() =>
        {
            Directory.Delete(_directory.At("data"));
            Directory.CreateSymbolicLink(_directory.At("data"), "v2");
        });
    }

    [Fact]
    public void DirectoryIsNotThere_NothingIsWatched_AndNothingIsSaid()
    {
        var log = new RecordedLog<FileWatchTests>();
        using var watch = new FileWatch("/nowhere/agent.json", () => _rings.Add(1), log);

        Assert.Empty(log.Lines.Seen);
    }

    private FileWatch Watch(string file) => new(file, () => _rings.Add(1), NullLogger.Instance);

    private async Task RingsAsync(Action change)
    {
        var before = _rings.Seen.Count;
        change();
        await _rings.UntilAsync(seen => seen.Count > before);
    }
}
