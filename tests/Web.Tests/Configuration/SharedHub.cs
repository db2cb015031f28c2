using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Configuration;

/// <summary>One hub for all tests of a class that only ask it; each test begins with fakes as new.</summary>
public sealed class SharedHub : IAsyncLifetime
{
    private WholeHub? _hub;

    internal WholeHub Fresh()
    {
        WholeHub hub = _hub ?? throw new InvalidOperationException("The hub is not started.");
        hub.Operations.Submitted.Clear();
        hub.Operations.Known.Clear();
        hub.Operations.OnPreview = _ => Make.Preview();
        hub.Operations.OnSubmit = _ => new FailoverHub.Web.Operations.SubmitResult.Accepted("op-1");
        hub.Fleet.Publish(FailoverHub.Web.Fleet.FleetSnapshot.Empty);
        hub.Reachability.Publish([]);
        return hub;
    }

    public async ValueTask InitializeAsync() => _hub = await WholeHub.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (_hub is not null)
        {
            await _hub.DisposeAsync();
        }
    }
}
