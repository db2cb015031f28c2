namespace FailoverHub.Web.Tests.Telemetry;

/// <summary>A listener for metrics hears every hub of the process, so these tests run while there is no other one.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class OneHubInTheProcess
{
    public const string Name = "one hub in the process";
}
