namespace FailoverHub.Architecture.Tests;

/// <summary>This repository keeps its rules. What each rule catches stands in <see cref="RulesCanFailTests"/>.</summary>
public sealed class RepositoryTests
{
    private static readonly SourceTree Repository = SourceTree.OfThisRepository();

    [Fact]
    public void Projects_ReferenceOnlyWhatTheDesignAllows() => Kept(ProjectRules.Arrow(Repository));

    [Fact]
    public void BuiltAssemblies_UseOnlyWhatTheDesignAllows() => Kept(
        from product in ProjectRules.AssemblyNames
        let path = CompiledReferences.PathOf(product.Key, product.Value)
        from violation in File.Exists(path) ? ProjectRules.CompiledArrow(product.Value, CompiledReferences.Of(path)) : [$"{path} is not built: dotnet build FailoverHub.sln -c Release"]
        select violation);

    [Fact]
    public void Folders_AreNamedForWhatTheyDo() => Kept(ProjectRules.NoDrawer(Repository));

    [Fact]
    public void Solution_ListsEveryProject() => Kept(ProjectRules.SolutionIsComplete(Repository));

    [Fact]
    public void PackageVersions_AreCentralAndExact() => Kept(ProjectRules.VersionsAreCentral(Repository));

    [Fact]
    public void ProtoTypes_StayAtTheEdge() => Kept(SourceRules.ProtoTypesStayAtTheEdge(Repository));

    [Fact]
    public void EntityFramework_StaysInTheStores() => Kept(SourceRules.DatabaseStaysInItsStores(Repository));

    [Fact]
    public void EntityFramework_IsAllowedToNoOneWhoDoesNotUseIt() => Kept(SourceRules.StoresAreStores(Repository));

    [Fact]
    public void Sockets_StayInTheirRooms() => Kept(SourceRules.SocketsStayInTheirRooms(Repository));

    [Fact]
    public void Nobody_StartsPing() => Kept(SourceRules.NobodyCallsPing(Repository));

    [Fact]
    public void FleetAndOperations_HaveNoStaticStateThatChanges() => Kept(SourceRules.OwnersHaveNoStatics(Repository));

    [Fact]
    public void WholeHubs_AreNotInTheQuickLoop() => Kept(SourceRules.WholeHubsAreNotInTheQuickLoop(Repository));

    [Fact]
    public void Files_StayShort() => Kept(SourceRules.FilesStayShort(Repository));

    [Fact]
    public void Tests_DoNotSleep() => Kept(SourceRules.TestsDoNotSleep(Repository));

    [Fact]
    public void Sources_TakeTimeAsAValue() => Kept(SourceRules.TimeIsAValue(Repository));

    [Fact]
    public void Components_ThatChangeWhatOnlyAnAdminMay_AskTheGate() => Kept(SourceRules.ComponentsAskTheGate(Repository));

    [Fact]
    public void Sources_LeaveNothingForLater() => Kept(SourceRules.NothingIsLeftForLater(Repository));

    private static void Kept(IEnumerable<string> violations)
    {
        var all = violations.Distinct().ToList();
        Assert.True(all.Count == 0, string.Join('\n', all.Prepend($"{all.Count} to put right:")));
    }
}
