using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Postgres
{
    /// <summary>The database itself refuses to change events, and to remove what is not old. A later migration that makes the table anew has to make the triggers anew.</summary>
    public partial class AppendOnlyEvents : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Only retention removes, and only what is old: within its transaction it says in EventRetention how old.
            migrationBuilder.Sql("""CREATE TABLE "EventRetention" ("BeforeMs" bigint NOT NULL);""");
            migrationBuilder.Sql(
                """
                CREATE FUNCTION events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF TG_OP = 'DELETE' THEN
                        IF EXISTS (SELECT 1 FROM "EventRetention" WHERE OLD."AtMs" < "BeforeMs" AND OLD."RecordedAtMs" < "BeforeMs") THEN
                            RETURN OLD;
                        END IF;
                    END IF;
                    RAISE EXCEPTION 'Events are append-only.';
                END $$;
                """);
            migrationBuilder.Sql("""CREATE TRIGGER event_is_never_changed BEFORE UPDATE OR DELETE ON "Events" FOR EACH ROW EXECUTE FUNCTION events_are_append_only();""");
            migrationBuilder.Sql("""CREATE TRIGGER events_are_never_emptied BEFORE TRUNCATE ON "Events" FOR EACH STATEMENT EXECUTE FUNCTION events_are_append_only();""");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""DROP TRIGGER events_are_never_emptied ON "Events";""");
            migrationBuilder.Sql("""DROP TRIGGER event_is_never_changed ON "Events";""");
            migrationBuilder.Sql("DROP FUNCTION events_are_append_only();");
            migrationBuilder.Sql("""DROP TABLE "EventRetention";""");
        }
    }
}
