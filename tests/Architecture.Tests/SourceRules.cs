using System.Text.RegularExpressions;

namespace FailoverHub.Architecture.Tests;

/// <summary>Rules about what a source file may use and how long it may be. Each gives one sentence for each thing that breaks it; none: it is kept.</summary>
internal static partial class SourceRules
{
    private const int LongestFile = 450;

    /// <summary>Stores outside of Data that may use EF Core, and why each of them does.</summary>
    private static readonly Dictionary<string, string> Stores = new(StringComparer.Ordinal)
    {
        ["src/Web/Fleet/FleetRecords.cs"] = "which nodes and pairs are known, across restarts",
        ["src/Web/History/SqliteHistory.cs"] = "events and operations, read and appended",
        ["src/Web/History/EventLog.cs"] = "appends events within a transaction of the writer",
        ["src/Web/History/JournalWrite.cs"] = "a node's journal as events, each entry once",
        ["src/Web/History/AuditLog.cs"] = "the chain of audit entries",
        ["src/Web/History/Checkpoints/AuditCheckpoints.cs"] = "signatures over the head of the chain, beside it",
        ["src/Web/History/Checkpoints/StoredChain.cs"] = "the chain with its checkpoints, read from its beginning",
        ["src/Web/History/Retention/RetentionSettings.cs"] = "how long the past is kept, changed with its audit entry",
        ["src/Web/History/Retention/RetentionWrites.cs"] = "removes old events within a transaction of the writer",
        ["src/Web/History/Search/IHistorySearch.cs"] = "what an index of the history does within the transaction of a store",
        ["src/Web/History/Search/SqliteSearch.cs"] = "the index of terms",
        ["src/Web/History/Search/PostgresSearch.cs"] = "the same index in PostgreSQL",
        ["src/Web/Operations/Records/OperationStore.cs"] = "audit entry, operation and intents in one transaction",
        ["src/Web/Operations/Records/OperationSearch.cs"] = "a filter of operations as a query of theirs",
        ["src/Web/Operations/Waiting/WaitingStore.cs"] = "audit entry and waiting operation in one transaction",
        ["src/Web/Operations/Waiting/NodeReferences.cs"] = "what is kept of a node by its name, in the transaction of its rename or removal",
        ["src/Web/Operations/Freezes/FreezeStore.cs"] = "audit entry and freeze in one transaction",
        ["src/Web/Alerts/Records/AlertStore.cs"] = "alerts, the messages that tell of them and their events in one transaction",
        ["src/Web/Alerts/Records/AlertSettingsStore.cs"] = "audit entry and rule or channel in one transaction",
        ["src/Web/Alerts/Maintenance/MaintenanceStore.cs"] = "audit entry, event and maintenance window in one transaction",
        ["src/Web/Alerts/Records/DeliveryStore.cs"] = "messages on their way, and what became of them",
        ["src/Web/Reachability/Storage/ProbeSampleStore.cs"] = "single probes, read back",
        ["src/Web/Reachability/Storage/SeriesIds.cs"] = "which number stands for which series",
        ["src/Web/Reachability/Storage/ProbeJournal.cs"] = "probes of minutes that are not over",
        ["src/Web/Reachability/Storage/PackingWrites.cs"] = "minutes, hours and days of probes, and removing them",
        ["src/Web/Reachability/Storage/RawReading.cs"] = "single probes out of packed minutes",
        ["src/Web/Reachability/Storage/ProbeHistory.cs"] = "charts out of minutes and hours",
        ["src/Web/Reachability/Outages/OutageStore.cs"] = "what moves of addresses cost",
        ["src/Web/Reachability/Targets/TargetList.cs"] = "audit entry and target in one transaction",
        ["src/Web/Identity/HubIdentity.cs"] = "the fingerprint of the hub's authority",
        ["src/Web/Identity/IdentityRecords.cs"] = "the table of nodes and their certificates",
        ["src/Web/Identity/IdentityRoom.cs"] = "that table, when the hub starts",
        ["src/Web/Identity/Past/CertificateHistory.cs"] = "which certificates a node has had",
        ["src/Web/Identity/INodeNames.cs"] = "in which transaction other stores follow the rename of a node",
        ["src/Web/Identity/JoinTokens.cs"] = "join tokens, hashed",
        ["src/Web/Identity/NodeDesk.cs"] = "audit entry, token and certificate in one transaction",
        ["src/Web/Identity/NodeChanges.cs"] = "audit entry and revocation, new name or removal in one transaction",
        ["src/Web/Access/StandingRights.cs"] = "what an account or a token may do now",
        ["src/Web/Access/Refusals/AccessAudit.cs"] = "audit entry and change of whoever is let in, in one transaction",
        ["src/Web/Access/Tokens/ApiTokens.cs"] = "tokens, hashed",
        ["src/Web/Access/Tokens/TokenUses.cs"] = "when tokens were last used",
        ["src/Web/Access/SecondFactor/SecondFactorRule.cs"] = "whether a second factor is required",
        ["src/Web/Access/Users/Accounts.cs"] = "people who sign in",
        ["src/Web/Access/Users/AccountServices.cs"] = "tells Identity which context has its tables",
        ["src/Web/Access/Users/OwnAccount.cs"] = "what people change on their own account",
        ["src/Web/Access/Users/UserDirectory.cs"] = "Identity's manager in a transaction of ours",
        ["src/Web/Access/SignIn/Sessions.cs"] = "sessions of browsers",
        ["src/Web/Access/SignIn/SignInCodes.cs"] = "one-time sign-in links, hashed",
    };

    /// <summary>Places of sockets.</summary>
    private static readonly string[] SocketRooms = ["src/Agent/Speaker/", "src/Agent/Checks/", "src/Agent/Addresses/", "src/Agent/Control/", "src/Agent/Service/", "src/Agent/Metrics/", "src/Agent/Answering/", "src/Agent/Vantage/", "src/Agent/Discovery/", "src/Agent/Doctor/", "src/Web/Reachability/", "src/Web/Alerts/Channels/GuardedConnection.cs", "src/Lab/"];

    /// <summary>Where the stream between agent and hub is read and written, and where it is generated.</summary>
    private static readonly string[] ProtoRooms = ["src/Agent/Hub/", "src/Web/Agents/", "src/Protos/"];

    private static readonly string[] CodeFiles = [".cs", ".razor", ".css", ".js", ".proto", ".sh"];

    public static IEnumerable<string> ProtoTypesStayAtTheEdge(SourceTree tree) =>
        (from path in tree.Sources("src/")
         where !ProtoRooms.Any(room => path.StartsWith(room, StringComparison.Ordinal))
         from found in tree.Matches(path, ProtoTypes())
         select $"{path}:{found.Line}: uses a generated proto type. Only src/Agent/Hub and src/Web/Agents may; map it there to a type of this room.")
        .Concat(
            from project in tree.Projects
            where project.StartsWith("src/", StringComparison.Ordinal)
            from imported in tree.Xml(project).Descendants().Where(e => e.Name.LocalName == "Using")
            where ProtoTypes().IsMatch(imported.Attribute("Include")?.Value ?? "")
            select $"{project}: imports the generated proto types into every file. Only src/Agent/Hub and src/Web/Agents may use them: write the using there.");

    public static IEnumerable<string> DatabaseStaysInItsStores(SourceTree tree) =>
        from path in tree.Sources("src/")
        where !path.StartsWith("src/Web/Data/", StringComparison.Ordinal) && !Stores.ContainsKey(path)
        from found in tree.Matches(path, EntityFramework())
        select $"{path}:{found.Line}: uses EF Core. Ask a store instead; if this file is a store, add it with its reason to SourceRules.Stores.";

    public static IEnumerable<string> StoresAreStores(SourceTree tree) =>
        from store in Stores.Keys
        where !tree.Files.Contains(store) || !tree.Matches(store, EntityFramework()).Any()
        select $"{store}: may use EF Core by SourceRules.Stores and does not, or is gone. Take it off that list.";

    public static IEnumerable<string> SocketsStayInTheirRooms(SourceTree tree) =>
        from path in tree.Sources("src/")
        where !SocketRooms.Any(room => path.StartsWith(room, StringComparison.Ordinal))
        // AddressFamily and SocketException live in the same namespace and are no sockets; Socket is also a word for other things.
        where tree.Matches(path, SocketNamespace()).Any()
        from found in tree.Matches(path, SocketTypes())
        select $"{path}:{found.Line}: uses a socket. Sockets are only in {string.Join(", ", SocketRooms.Select(r => r.TrimEnd('/')))}; let one of them do it and send it a message.";

    /// <summary>How long an answer took is measured by our own sockets: a program of the machine is not there in every container, is slow to start, and says what it says in words.</summary>
    public static IEnumerable<string> NobodyCallsPing(SourceTree tree) =>
        (from path in tree.Sources("src/")
         from found in tree.Matches(path, PingTypes())
         select $"{path}:{found.Line}: uses System.Net.NetworkInformation.Ping, which starts the machine's ping where it may not open a socket. Ask by IcmpProbe.")
        .Concat(
            from path in tree.Sources("src/")
            from text in CSharpText.TextsOf(tree.Text(path))
            where PingCommand().IsMatch(text.Text)
            select $"{path}:{text.Line}: names the program ping ({text.Text.Trim()}). Nothing of ours starts it: ask by IcmpProbe.");

    public static IEnumerable<string> OwnersHaveNoStatics(SourceTree tree) =>
        from path in tree.Sources("src/Web/Fleet/").Concat(tree.Sources("src/Web/Operations/"))
        from found in tree.Matches(path, StaticState())
        select $"{path}:{found.Line}: static state that changes ({found.Code}). The owners of fleet and operations will be spread over several hubs: make it a field of the owner, or immutable.";

    public static IEnumerable<string> FilesStayShort(SourceTree tree) =>
        from path in tree.Files
        where CodeFiles.Contains(Path.GetExtension(path)) && !path.StartsWith("src/Web/Data/Migrations/", StringComparison.Ordinal) && !IsVendored(path)
        let lines = tree.Text(path).AsSpan().TrimEnd().Count('\n') + 1
        where lines > LongestFile
        select $"{path}: {lines} lines, more than {LongestFile}. A noun is missing: find the part with a name of its own and give it a file.";

    public static IEnumerable<string> TestsDoNotSleep(SourceTree tree) =>
        from path in tree.Sources("tests/")
        from found in tree.Matches(path, Sleeps())
        select $"{path}:{found.Line}: sleeps. Use virtual time (FakeTimeProvider), or await the signal with a generous bound; for a daemon there is Eventually in Interop.Tests.";

    public static IEnumerable<string> WholeHubsAreNotInTheQuickLoop(SourceTree tree) =>
        from path in tree.Sources("tests/Web.Tests/")
        where path.EndsWith("Tests.cs", StringComparison.Ordinal) && !tree.Text(path).Contains("[Trait(\"Kind\", ", StringComparison.Ordinal)
        from found in tree.Matches(path, StartsAHub()).Take(1)
        select $"{path}:{found.Line}: starts a whole hub, and does not say so. Write [Trait(\"Kind\", \"Hub\")] before the class: ./test.sh quick leaves it out then.";

    public static IEnumerable<string> TimeIsAValue(SourceTree tree) =>
        from path in tree.Sources("src/")
        from found in tree.Matches(path, WallClock())
        select $"{path}:{found.Line}: asks the machine's clock. Pure code takes 'now'; shells ask their TimeProvider.";

    public static IEnumerable<string> ComponentsAskTheGate(SourceTree tree) =>
        from path in tree.Sources("src/Web/Components/")
        from found in tree.Matches(path, InjectedNoun())
        let component = path.Split(".razor")[0]
        where !tree.Sources("src/Web/Components/").Any(part => part.Split(".razor")[0] == component && tree.Matches(part, AskedGate()).Any())
        select $"{path}:{found.Line}: changes what only an admin may ({found.Code}) and never asks PageGate. A page may be older than its owner's right: await Gate.AskAsync(…) before each change, and hand on the actor that it returns.";

    public static IEnumerable<string> NothingIsLeftForLater(SourceTree tree) =>
        from path in tree.Sources("src/").Concat(tree.Sources("tests/"))
        from line in tree.Text(path).Split('\n').Select((text, index) => (Text: text, Number: index + 1))
        where Leftover().IsMatch(line.Text)
        select $"{path}:{line.Number}: leaves something for later. Do it, or write an issue and say here what is so and why.";

    private static bool IsVendored(string path) => path.Contains("/wwwroot/lib/", StringComparison.Ordinal) || path.Contains("/wwwroot/fonts/", StringComparison.Ordinal) || path.EndsWith(".min.js", StringComparison.Ordinal);

    // What changes users, tokens, nodes and settings; the rooms of operations and alerts look at the actor's right by themselves at each change.
    [GeneratedRegex(@"(@inject|\[Inject\]|\bprivate( protected)?|\bprotected|\binternal)\s+(NodeChanges|PairAdmission|Accounts|ApiTokens|JoinTokens|RetentionSettings|AlertSettings|ChannelTrial|AuditCheckpoints)\s+\w+")]
    private static partial Regex InjectedNoun();

    [GeneratedRegex(@"\b(WholeHub|HubUnderTest|OperationRig|HubProcess)\.StartAsync\b|\bSharedHub\s+\w+\)|:\s*TlsHubTest\b")]
    private static partial Regex StartsAHub();

    [GeneratedRegex(@"\.(AskAsync|AuthorizeAsync)\s*\(")]
    private static partial Regex AskedGate();

    [GeneratedRegex(@"\bFailoverHub\.Protos\b")]
    private static partial Regex ProtoTypes();

    [GeneratedRegex(@"\bMicrosoft\.EntityFrameworkCore\b|\b(\w*DbContext|DbSet|IDbContextFactory)\b")]
    private static partial Regex EntityFramework();

    [GeneratedRegex(@"\bSystem\.Net\.Sockets\b")]
    private static partial Regex SocketNamespace();

    [GeneratedRegex(@"\b(Socket|TcpClient|UdpClient|TcpListener|NetworkStream|SocketAsyncEventArgs|SafeSocketHandle|UnixDomainSocketEndPoint)\b")]
    private static partial Regex SocketTypes();

    [GeneratedRegex(@"\bNetworkInformation\.Ping\b|\bnew\s+Ping\s*\(|\b(PingReply|PingOptions|PingException|PingCompletedEventArgs|SendPingAsync|IPStatus)\b")]
    private static partial Regex PingTypes();

    // As a command: at the beginning of a text, or behind a folder or what ends another command; and not as a word of a sentence.
    [GeneratedRegex(@"(^|[/;|&(`'""])\s*(f|o|arp|hr|n)?ping6?(\.exe)?(\s+-|\s+[\d{:]|\s*$|\s*[;|&)`'""])")]
    private static partial Regex PingCommand();

    // A static field or settable property that is not readonly, or readonly but of a type whose content changes.
    [GeneratedRegex(@"\[ThreadStatic\]|\bstatic\s+(?!readonly\b)(volatile\s+)?[\w.<>,?\[\]\s]+\s\w+\s*(=(?!>|=)|;|\{\s*get;\s*((private|internal|protected)\s+)?set;)"
        + @"|\bstatic\s+readonly\s+(System\.[\w.]+\.)?(List|Dictionary|HashSet|SortedDictionary|SortedSet|LinkedList|Queue|Stack|PriorityQueue|Concurrent\w+|Channel|SemaphoreSlim|Lock|AsyncLocal|ThreadLocal|Timer|PeriodicTimer|StringBuilder|ConditionalWeakTable|CancellationTokenSource|TaskCompletionSource)\b")]
    private static partial Regex StaticState();

    [GeneratedRegex(@"\bThread\.(Sleep|SpinWait)\b|\bTask\.Delay\s*\(|\bSpinWait\b")]
    private static partial Regex Sleeps();

    [GeneratedRegex(@"\bDateTime(Offset)?\.((Utc)?Now|Today)\b")]
    private static partial Regex WallClock();

    [GeneratedRegex(@"//.*\b(TO" + "DO|FIX" + @"ME|HA" + @"CK|XX" + @"X)\b|\bNotImplemented" + @"Exception\b")]
    private static partial Regex Leftover();
}
