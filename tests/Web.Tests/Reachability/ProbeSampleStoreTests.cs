using FailoverHub.Web.Data;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Reachability;

public sealed class ProbeSampleStoreTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _clock = new(Make.At);
    private readonly string _folder = WholeHub.NewFolder();
    private readonly ServiceProvider _services;
    private readonly HubWriter _writer;
    private readonly ProbeSampleStore _store;
    private Task _writing = Task.CompletedTask;

    public ProbeSampleStoreTests()
    {
        _services = new ServiceCollection().AddHubDatabase(_folder, TestDatabases.For(_folder)).BuildServiceProvider();
        _writer = new HubWriter(Database, _clock, NullLogger<HubWriter>.Instance);
        _store = new ProbeSampleStore(Database, _writer, _clock);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private IDbContextFactory<HubDbContext> Database => _services.GetRequiredService<IDbContextFactory<HubDbContext>>();

    public async ValueTask InitializeAsync()
    {
        await HubDatabase.MigrateAsync(Database, Stop);
        _writing = _writer.Start();
    }

    public async ValueTask DisposeAsync()
    {
        _store.Dispose();
        await _writer.DisposeAsync();
        await _writing;
        await _services.DisposeAsync();
        TestDatabases.Release(_folder);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Samples_HandedOver_AreReadBackInOrderWithinTheirTime()
    {
        _store.Add(Make.Prefix, new ProbeSample(Make.At.AddSeconds(2), null, "no answer"));
        _store.Add(Make.Prefix, new ProbeSample(Make.At, TimeSpan.FromMicroseconds(123), null));
        _store.Add(Make.Prefix, new ProbeSample(Make.At.AddSeconds(1), TimeSpan.FromMicroseconds(456), null));
        _store.HandOver();
        await _writer.FlushAsync(Stop);

        IReadOnlyList<ProbeSample> all = await _store.ReadAsync(Make.Prefix, Make.At, Make.At.AddSeconds(3), 10, Stop);
        IReadOnlyList<ProbeSample> before = await _store.ReadAsync(Make.Prefix, Make.At, Make.At.AddSeconds(2), 10, Stop);
        IReadOnlyList<ProbeSample> one = await _store.ReadAsync(Make.Prefix, Make.At, Make.At.AddSeconds(3), 1, Stop);

        Assert.Equal(
            [
                new ProbeSample(Make.At, TimeSpan.FromMicroseconds(123), null),
                new ProbeSample(Make.At.AddSeconds(1), TimeSpan.FromMicroseconds(456), null),
                new ProbeSample(Make.At.AddSeconds(2), null, "no answer"),
            ],
            all);
        Assert.Equal(2, before.Count);
        Assert.Equal(Make.At, Assert.Single(one).At);
    }

    [Fact]
    public async Task Samples_OlderThanADay_AreRemovedStepByStepAndYoungerOnesKept()
    {
        for (int i = 0; i < 5_000; i++)
        {
            _store.Add(Make.Prefix, new ProbeSample(Make.At.AddSeconds(i), TimeSpan.FromMilliseconds(1), null));
        }

        _store.HandOver();
        await _writer.FlushAsync(Stop);
        _clock.SetUtcNow(Make.At.AddHours(24).AddSeconds(4_990));

        _store.Prune();

        // Each step asks for the next one once it is on disk, so each flush sees one step through.
        for (int step = 0; step < 4; step++)
        {
            await _writer.FlushAsync(Stop);
        }

        IReadOnlyList<ProbeSample> left = await _store.ReadAsync(Make.Prefix, Make.At, Make.At.AddHours(24), 10_000, Stop);
        Assert.Equal(10, left.Count);
        Assert.Equal(Make.At.AddSeconds(4_990), left[0].At);
    }
}
